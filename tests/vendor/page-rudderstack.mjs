// @rudderstack/analytics-js in a page: window.begin(host, keys) sends one call of each kind.
import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

window.begin = async (host, [writeKey]) => {
  const client = new RudderAnalytics();
  const isReady = new Promise((ready) => client.ready(ready));
  client.load(writeKey, host, { configUrl: host, logLevel: 'ERROR' });
  await isReady;
  const sent = (send) => new Promise((done) => send(done));
  await sent((done) => client.page('shop', 'Pricing', { layout: 'wide' }, done));
  await sent((done) => client.track('signup', { plan: 'pro', price: 9.99, tags: ['a', 'b'] }, done));
  await sent((done) => client.identify('user-1', { email: 'a@example.test' }, done));
  await sent((done) => client.group('acme-1', { name: 'Acme' }, done));
  await sent((done) => client.alias('user-2', 'user-1', done));
  return [String(client.getSessionId())];
};
