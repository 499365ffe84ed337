// plausible-tracker in a page: window.begin(host, domains) starts it.
import Plausible from 'plausible-tracker';

window.begin = async (host, domains) => {
  const { enableAutoPageviews, trackEvent } = Plausible({
    domain: domains.join(','),
    apiHost: host,
    trackLocalhost: true,
  });
  enableAutoPageviews();
  await new Promise((callback) => trackEvent('signup', { callback, props: { plan: 'pro', seats: 3 } }));
  return [];
};
