/** Whether this device may be tracked at all, and why not. */

const LOCAL_HOST = /^(localhost$|127\.|\[::1)/;
export const OPT_OUT_KEY = 'glimpse:out';

/**
 * Say why nothing is sent from this device.
 *
 * @param {import('../types.js').Options} options
 * @param {import('./store.js').Store} store
 * @returns {string | false | undefined} A falsy value when it may be tracked.
 */
export function whySilent({ respectGpc, respectDnt, localhost }, store) {
  const { globalPrivacyControl, doNotTrack } = /** @type {any} */ (navigator);
  return (
    (respectGpc && globalPrivacyControl && 'GPC') ||
    (respectDnt && +doNotTrack && 'DNT') ||
    (!localhost && LOCAL_HOST.test(location.hostname) && 'localhost') ||
    (store[OPT_OUT_KEY] && 'opt-out')
  );
}
