/** The made-up shop: five kinds of page behind one address each, and the events that a real shop would send. */

import { change, countAll, empty, total } from './cart.js';
import { currentPage, home, searchPage } from './pages.js';

const SEARCH_PAUSE_MS = 600;
const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const searchBox = /** @type {HTMLInputElement} */ (document.getElementById('search'));

/** Send an event; the tracker may be blocked, and the shop sells all the same. */
const track = (/** @type {string} */ event, /** @type {Record<string, unknown>} */ properties) =>
  /** @type {any} */ (window).glimpse?.track(event, properties);

function showCount() {
  const badge = /** @type {HTMLElement} */ (document.getElementById('cart-count'));
  badge.textContent = `${countAll()}`;
  badge.classList.toggle('full', countAll() > 0);
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

function purchase() {
  track('purchase', { value: total(), currency: 'EUR', items: countAll() });
  empty();
  showCount();
  go(`${home}/thanks`);
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
  if (slug) change([slug]);
  if (button.id === 'add-set') change(['drift-kettle', 'pebble-mug', 'ember-lamp']);
  if (button.id === 'purchase') purchase();
  if (step && stepped) {
    change([stepped], Number(step));
    render();
  } else if (slug || button.id === 'add-set') {
    button.classList.add('added');
    setTimeout(() => button.classList.remove('added'), 900);
  }
  showCount();
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
