// @segment/analytics-next in a page: window.begin(host, keys) sends one call of each kind, and then some in batches.
import { AnalyticsBrowser } from '@segment/analytics-next';

window.failures = [];
window.begin = async (host, [writeKey, batchedKey], base) => {
  const at = (seconds) => ({ timestamp: new Date(base + seconds * 1000) });
  const client = AnalyticsBrowser.load({ writeKey, cdnURL: host });
  client.on('error', ({ code, reason }) => window.failures.push(`${code}: ${reason}`));
  await client.page('shop', 'Pricing', { layout: 'wide' }, at(0));
  await client.track('signup', { plan: 'pro', price: 9.99, tags: ['a', 'b'] }, at(1));
  await client.screen('Cart', { items: 2 }, at(2));
  await client.identify('user-1', { email: 'a@example.test' }, at(3));
  await client.group('acme-1', { name: 'Acme' }, at(4));
  await client.alias('user-2', 'user-1', at(5));

  const deliveryStrategy = { strategy: 'batching', config: { size: 2 } };
  const batched = AnalyticsBrowser.load(
    { writeKey: batchedKey, cdnURL: host },
    { integrations: { 'Segment.io': { deliveryStrategy } } },
  );
  batched.on('error', ({ code, reason }) => window.failures.push(`${code}: ${reason}`));
  await batched.track('one', { n: 1 }, at(1));
  await batched.track('two', { n: 2 }, at(2));
  return window.failures;
};
