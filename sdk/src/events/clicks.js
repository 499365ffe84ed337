/** Clicks and forms: one event a click, and tagged beats outbound beats download. Input values are never read. */

import { withoutQuery } from '../core/address.js';

const FILE = /\.(pdf|docx?|xlsx?|pptx?|csv|zip|gz|7z|rar|dmg|exe|msi|apk|mp[34]|epub)$/i;
const TAG = 'data-glimpse-event';
const PROP = 'data-glimpse-prop-';

/**
 * Read the properties that an element's `data-glimpse-prop-*` attributes tell.
 *
 * @param {Element} element
 */
export function readProps(element) {
  /** @type {Record<string, string>} */
  const props = {};
  for (const { name, value } of element.attributes) {
    if (name.startsWith(PROP)) props[name.slice(PROP.length)] = value;
  }
  return props;
}

/**
 * @param {import('../tracker.js').Core['emit']} emit
 * @param {import('../types.js').Options} options
 * @returns {(event: any, path: Element[]) => void} Reads a click or the sending of a form.
 */
export function readActs(emit, options) {
  /** @param {Element} element */
  const emitTagged = (element) => emit(element.getAttribute(TAG) || 'click', readProps(element));

  /** @param {MouseEvent} event @param {Element[]} path From the clicked element outwards, also through open shadow roots. */
  const clicked = (event, path) => {
    if (event.button > 1) return;
    /** @param {string} selector */
    const find = (selector) => path.find((node) => node.matches?.(selector));
    const tagged = find(`[${TAG}]:not(form)`);
    if (tagged) return emitTagged(tagged);
    const link = /** @type {any} */ (find('a,area'));
    if (!link?.href) return;
    // An SVG link's address is an object.
    const url = new URL(link.href.baseVal ?? link.href, document.baseURI);
    const isFile = FILE.test(url.pathname) || link.hasAttribute('download');
    const name =
      url.host !== location.host
        ? options.outbound && 'outbound_click'
        : options.downloads && isFile && 'file_download';
    if (name && url.protocol.startsWith('http')) emit(name, { url: withoutQuery(url.href) });
  };

  /** @param {{ target: Element, submitter?: Element | null }} event */
  const submitted = ({ target, submitter }) => {
    if (target.matches(`[${TAG}]`)) return emitTagged(target);
    // The click on a tagged button was an event already.
    if (!options.forms || submitter?.closest(`[${TAG}]`)) return;
    // Not `target.id`: an input with that name hides it.
    const [id, name, action] = ['id', 'name', 'action'].map((key) => target.getAttribute(key) || '');
    emit('form_submit', { id, name, action: withoutQuery(action) });
  };

  return (event, path) => (event.type === 'submit' ? submitted(event) : clicked(event, path));
}
