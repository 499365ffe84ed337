// @rudderstack/rudder-sdk-node against a Glimpse: node node-rudderstack.mjs <host> <write key> <epoch ms>
import Analytics from '@rudderstack/rudder-sdk-node';

const [dataPlaneUrl, writeKey, base] = process.argv.slice(2);
const errors = [];
const client = new Analytics(writeKey, { dataPlaneUrl, errorHandler: (error) => errors.push(String(error)) });
const at = (seconds) => new Date(Number(base) + seconds * 1000);
const context = { ip: '81.2.69.142', sessionId: 1_701_234_567_890, locale: 'en-GB' };
const anonymousId = 'anon-1';
const page = { url: 'https://shop.test/pricing', path: '/pricing', title: 'Pricing', layout: 'wide' };
client.page({ anonymousId, name: 'Pricing', properties: page, context, timestamp: at(0) });
client.track({ anonymousId, event: 'signup', properties: { plan: 'pro', price: 9.99 }, context, timestamp: at(1) });
client.screen({ anonymousId, name: 'Cart', properties: { items: 2 }, context, timestamp: at(2) });
client.identify({ userId: 'user-1', traits: { email: 'a@example.test' }, context, timestamp: at(3) });
client.group({ userId: 'user-1', groupId: 'acme-1', context, timestamp: at(4) });
client.alias({ userId: 'user-1', previousId: 'anon-1', context, timestamp: at(5) });
const done = await client.flush((error) => error && errors.push(String(error)));
console.log(JSON.stringify({ errors, sent: Boolean(done) }));
process.exit(0);
