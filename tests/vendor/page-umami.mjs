// Umami's own script in a page, as its tag loads it: window.begin(host, websites) puts the tag into the page.
window.begin = async (host, [website]) => {
  const tag = document.createElement('script');
  tag.dataset.websiteId = website;
  tag.dataset.hostUrl = host;
  tag.src = '/bundles/umami.js';
  await new Promise((loaded) => {
    tag.onload = loaded;
    document.head.append(tag);
  });
  await window.umami.track('signup', { plan: 'pro', price: 9.99, tags: ['a', 'b'] });
  await window.umami.identify({ email: 'a@example.test' });
  const told = await window.umami.track('after');
  document.body.insertAdjacentHTML(
    'beforeend',
    '<button id="tagged" data-umami-event="tagged-click" data-umami-event-foo="bar">x</button>',
  );
  return [told];
};
