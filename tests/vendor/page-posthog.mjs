// posthog-js in a page: window.begin(host, keys) starts it; it sees page views, clicks and the end of the page itself.
import posthog from 'posthog-js';

window.begin = async (host, [key], base) => {
  const failures = [];
  const isLoaded = new Promise((loaded) => {
    posthog.init(key, {
      api_host: host,
      capture_pageview: 'history_change',
      opt_out_useragent_filter: true, // so that it lets an automated browser through
      request_queue_config: { flush_interval_ms: 250 },
      on_request_error: ({ statusCode }) => failures.push(statusCode),
      loaded,
    });
  });
  await isLoaded;
  const flags = new Promise((known) => posthog.onFeatureFlags(known));
  posthog.reloadFeatureFlags();
  posthog.getSurveys(() => {});
  posthog.getEarlyAccessFeatures(() => {}, true);
  posthog.capture('signup', { plan: 'pro', price: 9.99, tags: ['a', 'b'] }, { timestamp: new Date(base + 1000) });
  posthog.identify('user-1', { email: 'a@example.test' });
  posthog.group('company', 'acme-1', { name: 'Acme' });
  await flags;
  window.failures = failures;
  return [posthog.get_session_id()];
};
