/** What can wait until the first page view is made, in a file that is fetched then: it keeps the core small. */

export { readActs } from './events/clicks.js';
export { watchErrors } from './events/errors.js';
export { onView, watchTagged } from './events/onView.js';
