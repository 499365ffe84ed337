/** Web vitals, in a file that only pages fetch which ask for them; block lists know the usual names of such files. */

export { watchVitals } from './events/vitals.js';
