// matomo-tracker against a Glimpse: node node-matomo.mjs <host> <site> <epoch ms>
import MatomoTracker from 'matomo-tracker';

const [host, site, base] = process.argv.slice(2);
const client = new MatomoTracker(site, `${host}/matomo.php`);
const errors = [];
client.on('error', (error) => errors.push(String(error)));
const visitor = { _id: '0123456789abcdef', cip: '81.2.69.142', lang: 'en-GB', res: '1280x720' };
const url = 'https://shop.test/pricing?mtm_campaign=spring';
const cdt = (seconds) => new Date(Number(base) + 1000 * seconds).toISOString();
client.track({ ...visitor, url, action_name: 'Pricing', urlref: 'https://www.google.com/', cdt: cdt(0) });
const bulk = [
  { ...visitor, url, e_c: 'Buy', e_a: 'right button', e_v: '2', cdt: cdt(1), uid: 'user-1' },
  { ...visitor, url, search: 'shoes', search_count: 3, cdt: cdt(2) },
];
const told = await new Promise((answered) => client.trackBulk(bulk, answered));
console.log(JSON.stringify({ errors, told: JSON.parse(told) }));
process.exit(); // it leaves an answer unread, which would keep this process up
