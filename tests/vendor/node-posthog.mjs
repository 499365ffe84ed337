// posthog-node against a Glimpse: node node-posthog.mjs <host> <API key> <epoch ms>
import { PostHog } from 'posthog-node';

const [host, apiKey, base] = process.argv.slice(2);
const client = new PostHog(apiKey, { host });
const errors = [];
client.on('error', (error) => errors.push(String(error)));
const at = (seconds) => new Date(Number(base) + seconds * 1000);
const distinctId = 'user-1';
const $session_id = '01a20f8e-04ed-773c-afd9-fe9a4e898e00';
const facts = { $session_id, $ip: '81.2.69.142', $browser_language: 'en-GB' };
const page = { $current_url: 'https://shop.test/pricing?ref=1', $pathname: '/pricing', $referrer: 'https://news.test/' };
client.capture({ distinctId, event: '$pageview', properties: { ...facts, ...page, layout: 'wide' }, timestamp: at(0) });
const properties = { plan: 'pro', price: 9.99, tags: ['a', 'b'], ...facts };
client.capture({ distinctId, event: 'signup', properties, timestamp: at(1) });
client.capture({ distinctId: 'user-2', event: 'search', properties: {}, timestamp: at(2) });
client.identify({ distinctId, properties: { email: 'a@example.test' } });
client.groupIdentify({ groupType: 'company', groupKey: 'acme-1', properties: { name: 'Acme' } });
client.captureException(new Error('out of stock'), distinctId);
const flags = await client.getAllFlags('user-1');
await client.shutdown();
console.log(JSON.stringify({ errors, flags }));
