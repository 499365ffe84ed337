/** The shop's pages: each gives its title and its markup; all text is our own or escaped. */

import { countAll, inCart, total } from './cart.js';
import { find, PRODUCTS } from './products.js';

/** @typedef {import('./products.js').Product} Product */

export const home = `${document.body.dataset.root ?? ''}/demo`;

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
export function searchPage(query) {
  const found = PRODUCTS.filter(({ name, line, story }) =>
    `${name} ${line} ${story}`.toLowerCase().includes(query.toLowerCase()),
  );
  return {
    count: found.length,
    markup: `<h1 class="found" data-test="found">${found.length || 'Nothing'} for “${escaped(query)}”</h1>${grid(found)}`,
  };
}

export function currentPage() {
  const [kind = '', slug = ''] = location.pathname.slice(home.length).split('/').filter(Boolean);
  const product = find(slug);
  if (!kind) return homePage();
  if (kind === 'product' && product) return productPage(product);
  if (kind === 'cart') return cartPage();
  if (kind === 'checkout') return checkoutPage();
  if (kind === 'thanks') return thanksPage();
  return missingPage();
}
