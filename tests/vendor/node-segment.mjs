// @segment/analytics-node against a Glimpse: node node-segment.mjs <host> <write key> <epoch ms>
import { Analytics } from '@segment/analytics-node';

const [host, writeKey, base] = process.argv.slice(2);
const client = new Analytics({ writeKey, host, maxEventsInBatch: 20 });
const errors = [];
client.on('error', (error) => errors.push(String(error.reason ?? error)));

const at = (seconds) => new Date(Number(base) + seconds * 1000);
const context = {
  ip: '81.2.69.142',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  locale: 'en-GB',
  timezone: 'Europe/London',
  screen: { width: 1440, height: 900, density: 2 },
  campaign: { source: 'news', medium: 'email', name: 'spring' },
  page: { url: 'https://shop.test/pricing?ref=1', path: '/pricing', title: 'Pricing' },
};
const page = {
  url: 'https://shop.test/pricing?ref=1',
  path: '/pricing',
  title: 'Pricing',
  referrer: 'https://www.google.com/',
  layout: 'wide',
};
const anonymousId = 'anon-1';
client.page({ anonymousId, name: 'Pricing', category: 'shop', properties: page, context, timestamp: at(0) });
const properties = { plan: 'pro', price: 9.99, tags: ['a', 'b'], nested: { x: 1 } };
client.track({ anonymousId, userId: 'user-1', event: 'signup', properties, context, timestamp: at(1) });
client.screen({ anonymousId, name: 'Cart', properties: { items: 2 }, context, timestamp: at(2) });
client.identify({ anonymousId, userId: 'user-1', traits: { email: 'a@example.test' }, context, timestamp: at(3) });
client.group({ anonymousId, groupId: 'acme-1', traits: { name: 'Acme' }, context, timestamp: at(4) });
client.alias({ userId: 'user-1', previousId: 'anon-1', context, timestamp: at(5) });
client.track({ anonymousId: 'anon-2', event: 'search', properties: {}, timestamp: at(6) });
await client.closeAndFlush({ timeout: 10_000 });
console.log(JSON.stringify({ errors }));
