// @plausible-analytics/tracker in a page: window.begin(host, domains) starts it; it sees views, clicks and forms itself.
import { init, track } from '@plausible-analytics/tracker';

window.begin = async (host, [domain]) => {
  init({
    domain,
    endpoint: `${host}/api/event`,
    captureOnLocalhost: true,
    outboundLinks: true,
    fileDownloads: true,
    formSubmissions: true,
    customProperties: { plan: 'pro' },
  });
  const told = await new Promise((callback) =>
    track('signup', { props: { seats: 3 }, revenue: { amount: 9.99, currency: 'USD' }, callback }),
  );
  document.body.insertAdjacentHTML(
    'beforeend',
    `<button id="tagged" class="plausible-event-name=Tagged+Click plausible-event-foo=bar">x</button>
     <a id="file" href="/report.pdf" target="_blank">x</a>
     <form id="form"><button id="send">x</button></form>`,
  );
  document.querySelector('#form').addEventListener('submit', (event) => event.preventDefault());
  document.querySelector('#file').addEventListener('click', (event) => event.preventDefault());
  return [told];
};
