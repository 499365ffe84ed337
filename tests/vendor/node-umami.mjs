// @umami/node against a Glimpse: node node-umami.mjs <host> <website> <epoch ms>
import { Umami } from '@umami/node';

const [host, website, base] = process.argv.slice(2);
const at = (seconds) => Math.floor(Number(base) / 1000) + seconds;
const page = { hostname: 'shop.test', url: '/pricing?utm_source=news', title: 'Pricing', language: 'en-GB', ip: '81.2.69.142' };
const umami = new Umami({ websiteId: website, hostUrl: host });
const answers = [
  await umami.track({ ...page, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', timestamp: at(0) }),
  await umami.track({ ...page, name: 'signup', data: { plan: 'pro', price: 9.99 }, timestamp: at(1), id: 'user-1' }),
  await umami.track('from the server', { n: 1 }),
  await umami.identify({ email: 'a@example.test' }),
];
const told = await Promise.all(answers.map((answer) => answer.json()));
const batch = [1, 2].map((n) => ({ type: 'event', payload: { website, ...page, name: `batched ${n}` } }));
const answered = await fetch(`${host}/api/batch`, { method: 'POST', body: JSON.stringify(batch) });
const errors = [...answers, answered].filter(({ status }) => status !== 200).map(({ status }) => status);
console.log(JSON.stringify({ errors, told, batch: await answered.json() }));
