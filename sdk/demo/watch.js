/**
 * Shows the visitor what the tracker sends: it reads the requests that leave the page, once they are answered.
 *
 * Runs before the tracker, which takes `fetch` when it starts.
 */

const SHOWN = 8;
const list = /** @type {HTMLElement} */ (document.getElementById('watch-list'));
const last = /** @type {HTMLElement} */ (document.getElementById('watch-last'));
const realFetch = window.fetch.bind(window);

/** @param {{ event: string, timestamp: number, properties: Record<string, unknown>, context: { path: string } }} sent */
function show({ event, timestamp, properties, context }) {
  const detail =
    Object.entries(properties)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name} ${value}`)
      .join(', ') || context.path;
  last.textContent = event;
  const row = document.createElement('li');
  row.dataset.event = event;
  const cells = [new Date(timestamp).toLocaleTimeString(), event, detail];
  row.append(
    ...cells.map((text, index) => {
      const cell = document.createElement(index === 1 ? 'b' : 'span');
      cell.textContent = text;
      return cell;
    }),
  );
  list.prepend(row);
  while (list.children.length > SHOWN) list.lastElementChild?.remove();
}

window.fetch = async (input, init) => {
  const response = await realFetch(input, init);
  if (response.ok && typeof init?.body === 'string' && `${input}`.endsWith('/event')) {
    for (const sent of JSON.parse(init.body).events) show(sent);
  }
  return response;
};
