/** The made-up shop: five kinds of page behind one address each, and the events that a real shop would send. */

/** @typedef {{ slug: string, name: string, price: number, line: string, story: string, tone: string, art: string }} Product */

/** @type {Product[]} */
const PRODUCTS = [
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

const SEARCH_PAUSE_MS = 600;
const CART_KEY = 'morrow:cart';
const root = document.body.dataset.root ?? '';
const home = `${root}/demo`;
const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const searchBox = /** @type {HTMLInputElement} */ (document.getElementById('search'));

/** Send an event; the tracker may be blocked, and the shop sells all the same. */
const track = (/** @type {string} */ event, /** @type {Record<string, unknown>} */ properties) =>
  /** @type {any} */ (window).glimpse?.track(event, properties);

/* The cart */

/** @type {Record<string, number>} */
let cart = {};
try {
  cart = JSON.parse(sessionStorage.getItem(CART_KEY) ?? '{}');
} catch {} // storage denied: the cart lives as long as the page

/** @param {Record<string, number>} next */
function setCart(next) {
  cart = Object.fromEntries(Object.entries(next).filter(([, count]) => count > 0));
  try {
    sessionStorage.setItem(CART_KEY, JSON.stringify(cart));
  } catch {}
  showCount();
}

const inCart = () =>
  PRODUCTS.filter(({ slug }) => cart[slug]).map((product) => ({ product, count: cart[product.slug] }));
const total = () => inCart().reduce((sum, { product, count }) => sum + product.price * count, 0);
const countAll = () => inCart().reduce((sum, { count }) => sum + count, 0);

function showCount() {
  const badge = /** @type {HTMLElement} */ (document.getElementById('cart-count'));
  badge.textContent = `${countAll()}`;
  badge.classList.toggle('full', countAll() > 0);
}

/* Pages: each returns its title and its markup; all text is our own or escaped. */

const escaped = (/** @type {string} */ text) => {
  const holder = document.createElement('p');
  holder.textContent = text;
  return holder.innerHTML;
};
const art = (/** @type {Product} */ { art, tone }) =>
  `<div class="art ${tone}"><svg viewBox="0 0 200 200" aria-hidden="true">${art}</svg></div>`;

const card = (/** @type {Product} */ product) => `
  <article class="card" data-test="card-${product.slug}">
    <a href="${home}/product/${product.slug}" data-link data-test="product-${product.slug}">
      ${art(product)}
      <h3>${product.name}</h3>
      <p>${product.line}</p>
    </a>
    <div class="buy">
      <span class="price">€${product.price}</span>
      ${addButton(product, 'Add')}
    </div>
  </article>`;

const addButton = (/** @type {Product} */ { slug, name, price }, /** @type {string} */ label) => `
  <button data-add="${slug}" data-test="add-${slug}" aria-label="Add ${name} to the cart"
    data-glimpse-event="add_to_cart" data-glimpse-prop-product="${slug}" data-glimpse-prop-price="${price}">${label}</button>`;

const grid = (/** @type {Product[]} */ products) =>
  `<div class="grid" id="products">${products.map(card).join('')}</div>`;

function homePage() {
  return {
    title: 'Morrow, goods for slow mornings',
    markup: `
      <section class="hero">
        <div>
          <p class="eyebrow">Autumn, unhurried</p>
          <h1>Goods for<br>slow mornings</h1>
          <p class="lead">Six things that take their time, so that you can too.</p>
          <a class="button" href="#products" data-test="hero-button" data-glimpse-event="hero_click">See all six</a>
        </div>
        <svg class="sunrise" viewBox="0 0 480 320" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
          <rect width="480" height="320" fill="#f6dcae"/>
          <circle cx="300" cy="186" r="128" fill="#f9e7c5"/><circle cx="300" cy="186" r="92" fill="#f3c877"/>
          <circle cx="300" cy="186" r="60" fill="#e8a13a"/>
          <path d="M0 214q90-64 190-22t290-36v164H0z" fill="#7da08c"/>
          <path d="M0 246q120-52 240-14t240-24v112H0z" fill="#4d7a68"/>
          <path d="M0 286q140-40 260-10t220-16v60H0z" fill="#23403a"/>
          <path d="M92 262v-34m0 0l-14 22h28zm0-14l-10 18h20zM128 258v-22m0 0l-10 16h20z" stroke="#1a312c" stroke-width="3" fill="#1a312c"/>
        </svg>
      </section>
      ${grid(PRODUCTS)}
      <section class="promo" id="promo" data-test="promo">
        <div>
          <p class="eyebrow">The morning set</p>
          <h2>Kettle, mug and lamp.<br>Together, €175.</h2>
          <p>Before eight, nobody needs to know that you are up.</p>
        </div>
        <div class="trio">${['drift-kettle', 'pebble-mug', 'ember-lamp'].map((slug) => art(/** @type {Product} */ (find(slug)))).join('')}</div>
        <button class="button light" id="add-set" data-test="add-set" data-glimpse-event="add_to_cart"
          data-glimpse-prop-product="morning-set" data-glimpse-prop-price="175">Add the set</button>
      </section>`,
  };
}

/** @param {Product} product */
function productPage(product) {
  const others = PRODUCTS.filter(({ slug }) => slug !== product.slug).slice(0, 3);
  return {
    title: `${product.name}, Morrow`,
    markup: `
      <p class="crumb"><a href="${home}" data-link>All goods</a></p>
      <section class="product" data-test="product">
        ${art(product)}
        <div>
          <h1>${product.name}</h1>
          <p class="lead">${product.line}</p>
          <p>${product.story}</p>
          <p class="price big">€${product.price}</p>
          <p>${addButton(product, 'Add to cart').replace('<button', '<button class="button"')}</p>
          <ul class="facts"><li>Sent by slow train</li><li>Mended for as long as we are here</li></ul>
        </div>
      </section>
      <h2 class="also">Goes with</h2>
      ${grid(others)}`,
  };
}

function cartPage() {
  const rows = inCart().map(
    ({ product, count }) => `
      <li data-test="row-${product.slug}">
        ${art(product)}
        <a href="${home}/product/${product.slug}" data-link>${product.name}</a>
        <span class="stepper">
          <button data-step="-1" data-slug="${product.slug}" aria-label="One less">−</button>
          <b>${count}</b>
          <button data-step="1" data-slug="${product.slug}" aria-label="One more">+</button>
        </span>
        <span class="price">€${product.price * count}</span>
      </li>`,
  );
  return {
    title: 'Cart, Morrow',
    markup: rows.length
      ? `<section class="narrow"><h1>Your cart</h1><ul class="rows">${rows.join('')}</ul>
           <p class="sum"><span>Together</span><b data-test="total">€${total()}</b></p>
           <a class="button" href="${home}/checkout" data-link data-test="checkout">Check out</a></section>`
      : `<section class="narrow empty"><h1>Your cart is empty</h1><p>There is no hurry.</p>
           <a class="button" href="${home}" data-link>Look around</a></section>`,
  };
}

function checkoutPage() {
  if (!countAll()) return cartPage();
  return {
    title: 'Checkout, Morrow',
    markup: `
      <section class="narrow">
        <h1>Check out</h1>
        <p class="lead">${countAll()} ${countAll() === 1 ? 'thing' : 'things'} for €${total()}.</p>
        <p>Morrow is made up, so there is nothing to fill in, and nothing is charged. Press the button, and watch
          the purchase arrive on the dashboard.</p>
        <button class="button" id="purchase" data-test="purchase">Place the order</button>
      </section>`,
  };
}

const thanksPage = () => ({
  title: 'Thank you, Morrow',
  markup: `<section class="narrow empty"><h1>Thank you</h1><p class="lead">It would be on its way, slowly.</p>
    <a class="button" href="${home}" data-link data-test="again">Back to the shop</a></section>`,
});

const missingPage = () => ({
  title: 'Not here, Morrow',
  markup: `<section class="narrow empty"><h1>Nothing at this address</h1>
    <a class="button" href="${home}" data-link>Back to the shop</a></section>`,
});

/** @param {string} query */
function searchPage(query) {
  const found = PRODUCTS.filter(({ name, line, story }) =>
    `${name} ${line} ${story}`.toLowerCase().includes(query.toLowerCase()),
  );
  return {
    count: found.length,
    markup: `<h1 class="found" data-test="found">${found.length || 'Nothing'} for “${escaped(query)}”</h1>${grid(found)}`,
  };
}

/* Addresses */

const find = (/** @type {string} */ slug) => PRODUCTS.find((product) => product.slug === slug);

function currentPage() {
  const [kind = '', slug = ''] = location.pathname.slice(home.length).split('/').filter(Boolean);
  const product = find(slug);
  if (!kind) return homePage();
  if (kind === 'product' && product) return productPage(product);
  if (kind === 'cart') return cartPage();
  if (kind === 'checkout') return checkoutPage();
  if (kind === 'thanks') return thanksPage();
  return missingPage();
}

function render() {
  const { title, markup } = currentPage();
  document.title = title;
  main.innerHTML = markup;
}

/** @param {string} address */
function go(address) {
  if (address !== location.pathname) history.pushState({}, '', address);
  searchBox.value = '';
  render();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

/* What visitors do */

function purchase() {
  track('purchase', { value: total(), currency: 'EUR', items: countAll() });
  setCart({});
  go(`${home}/thanks`);
}

/** @param {string[]} slugs */
function add(slugs) {
  const next = { ...cart };
  for (const slug of slugs) next[slug] = (next[slug] ?? 0) + 1;
  setCart(next);
}

document.addEventListener('click', (event) => {
  const target = /** @type {Element} */ (event.target);
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest('a[data-link]'));
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (link && isPlain) {
    event.preventDefault();
    return go(link.pathname);
  }
  const button = target.closest('button');
  if (!button) return;
  const { add: slug, step, slug: stepped } = button.dataset;
  if (slug) add([slug]);
  if (button.id === 'add-set') add(['drift-kettle', 'pebble-mug', 'ember-lamp']);
  if (button.id === 'purchase') purchase();
  if (step && stepped) {
    setCart({ ...cart, [stepped]: cart[stepped] + Number(step) });
    render();
  } else if (slug || button.id === 'add-set') {
    button.classList.add('added');
    setTimeout(() => button.classList.remove('added'), 900);
  }
});

/** @type {ReturnType<typeof setTimeout>} */
let searching;
searchBox.addEventListener('input', () => {
  const query = searchBox.value.trim();
  clearTimeout(searching);
  if (!query) return render();
  const { count, markup } = searchPage(query);
  main.innerHTML = markup;
  searching = setTimeout(() => track('search', { query, results: count }), SEARCH_PAUSE_MS);
});

const newsletter = /** @type {HTMLFormElement} */ (document.getElementById('newsletter'));
newsletter.addEventListener('submit', (event) => {
  event.preventDefault();
  newsletter.classList.add('done');
  const button = newsletter.querySelector('button');
  if (button) button.textContent = 'Thank you';
});

addEventListener('popstate', render);
addEventListener('DOMContentLoaded', () => {
  /** @type {any} */ (window).glimpse?.trackOnView(
    '#promo',
    'promo_viewed',
    { promo: 'morning-set' },
    { threshold: 0.6, dwell: 400 },
  );
});

showCount();
render();
