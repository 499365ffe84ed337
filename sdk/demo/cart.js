/** What the visitor means to buy, kept as long as the tab is. */

import { PRODUCTS } from './products.js';

const CART_KEY = 'morrow:cart';

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
}

/** @param {string[]} slugs @param {number} [by] */
export function change(slugs, by = 1) {
  const next = { ...cart };
  for (const slug of slugs) next[slug] = (next[slug] ?? 0) + by;
  setCart(next);
}

export const empty = () => setCart({});

export const inCart = () =>
  PRODUCTS.filter(({ slug }) => cart[slug]).map((product) => ({ product, count: cart[product.slug] }));
export const total = () => inCart().reduce((sum, { product, count }) => sum + product.price * count, 0);
export const countAll = () => inCart().reduce((sum, { count }) => sum + count, 0);
