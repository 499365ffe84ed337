/** What the made-up shop sells. */

/** @typedef {{ slug: string, name: string, price: number, line: string, story: string, tone: string, art: string }} Product */

/** @type {Product[]} */
export const PRODUCTS = [
  {
    slug: 'drift-kettle',
    name: 'Drift Kettle',
    price: 64,
    line: 'Takes nine minutes, on purpose',
    story:
      'A spun-steel kettle with a thick base. It is slower than yours. You will have read the paper by then.',
    tone: 'sand',
    art: '<path d="M62 92q0-34 38-34t38 34l8 50q0 10-12 10H66q-12 0-12-10z" fill="#2f5d54"/><path d="M72 62q28-46 56 0" fill="none" stroke="#23403a" stroke-width="7" stroke-linecap="round"/><path d="M132 108l36-30-8 30-24 22z" fill="#2f5d54"/><circle cx="100" cy="54" r="6" fill="#e8a13a"/><path d="M66 118h68" stroke="#4d8175" stroke-width="4" stroke-linecap="round"/>',
  },
  {
    slug: 'ember-lamp',
    name: 'Ember Lamp',
    price: 89,
    line: 'Sunrise for north-facing rooms',
    story: 'Begins at a candle and ends at noon, over half an hour. The shade is paper, folded by hand.',
    tone: 'dusk',
    art: '<circle cx="100" cy="86" r="52" fill="#f3c877" opacity=".55"/><path d="M72 50h56l16 56H56z" fill="#e8a13a"/><path d="M84 50l-8 56M100 50v56M116 50l8 56" stroke="#c67f22" stroke-width="2"/><path d="M100 106v42" stroke="#23403a" stroke-width="6"/><path d="M70 152h60" stroke="#23403a" stroke-width="8" stroke-linecap="round"/>',
  },
  {
    slug: 'pebble-mug',
    name: 'Pebble Mug',
    price: 22,
    line: 'No two, and none quite round',
    story:
      'Stoneware with a glaze the colour of wet slate. Shaped so that it can only be held with both hands.',
    tone: 'mist',
    art: '<path d="M58 74h74q4 0 4 6-2 68-38 70-38-2-42-70 0-6 2-6z" fill="#5b7f95"/><path d="M134 86q30-4 26 22-4 22-34 20" fill="none" stroke="#5b7f95" stroke-width="10" stroke-linecap="round"/><ellipse cx="95" cy="76" rx="38" ry="8" fill="#3d5f74"/><ellipse cx="95" cy="77" rx="31" ry="5" fill="#6b4630"/><path d="M84 58q-8-10 0-20M104 58q8-10 0-20" fill="none" stroke="#9db4c2" stroke-width="4" stroke-linecap="round"/>',
  },
  {
    slug: 'moss-garden',
    name: 'Moss Garden',
    price: 48,
    line: 'Needs you once a month',
    story: 'Three mosses, one stone and a glass dome. It was here before you woke up and it is in no hurry.',
    tone: 'leaf',
    art: '<path d="M52 140V98q0-48 48-48t48 48v42z" fill="#dff0e4" stroke="#9cc3ab" stroke-width="4"/><path d="M56 140q6-26 24-20 6-18 26-10 20-10 38 30z" fill="#4f8a5b"/><path d="M92 140q4-22 26-18 18 0 22 18z" fill="#6ca873"/><ellipse cx="84" cy="134" rx="14" ry="8" fill="#8d938f"/><path d="M44 142h112v8q0 6-8 6H52q-8 0-8-6z" fill="#23403a"/><circle cx="100" cy="46" r="6" fill="#23403a"/>',
  },
  {
    slug: 'sundial-clock',
    name: 'Sundial Clock',
    price: 75,
    line: 'One hand is enough',
    story:
      'An hour hand, and nothing that jumps. You are early or late by about five minutes, like everyone.',
    tone: 'clay',
    art: '<circle cx="100" cy="98" r="54" fill="#fffaf1" stroke="#c4563a" stroke-width="8"/><path d="M100 98L126 66" stroke="#23403a" stroke-width="6" stroke-linecap="round"/><circle cx="100" cy="98" r="6" fill="#23403a"/><path d="M100 54v8M100 134v8M56 98h8M136 98h8" stroke="#c4563a" stroke-width="5" stroke-linecap="round"/>',
  },
  {
    slug: 'cloud-throw',
    name: 'Cloud Throw',
    price: 58,
    line: 'Heavy enough to cancel plans',
    story: 'Two kilos of wool from somewhere with weather. Comes with a note for your first appointment.',
    tone: 'rose',
    art: '<path d="M46 70q54-20 108 0v72q-54 20-108 0z" fill="#d98c86"/><path d="M46 90q54-20 108 0M46 112q54-20 108 0" fill="none" stroke="#f3c6bf" stroke-width="7"/><path d="M52 146v12M66 150v12M80 153v12M94 154v12M108 154v12M122 153v12M136 150v12M148 146v12" stroke="#d98c86" stroke-width="4" stroke-linecap="round"/>',
  },
];

export const find = (/** @type {string} */ slug) => PRODUCTS.find((product) => product.slug === slug);
