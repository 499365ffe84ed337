/** The public face of the Glimpse tracker; built as `glimpse.d.ts`. */

/** What an event carries: anything JSON can hold. */
export type Properties = Record<string, unknown>;

/** An event as `beforeSend` sees it, right before it is queued. */
export interface GlimpseEvent {
  event: string;
  id: string;
  /** Milliseconds since 1970, by the visitor's clock. */
  timestamp: number;
  sessionId?: string;
  properties: Properties;
  context: Properties;
  traits?: Properties;
}

/** Where an event happened. Any further key is kept, too. */
export interface Context {
  url?: string | null;
  referrer?: string | null;
  path?: string | null;
  title?: string | null;
  previousPath?: string | null;
  userAgent?: string | null;
  timezone?: string | null;
  language?: string | null;
  /** What a campaign's link says: source, medium, campaign, term, content. */
  utm?: Properties | null;
  connection?: Properties | null;
  /** `"1440x900"`, or width and height. */
  viewport?: string | Properties | null;
  screen?: string | Properties | null;
  [key: string]: unknown;
}

/** An event as `POST /event` takes it; the JSON Schema at `/api/v1/schema` has its limits. */
export interface WireEvent {
  projectId: string;
  event: string;
  /** Milliseconds since 1970, or ISO 8601. */
  timestamp: number | string;
  /** Makes sending it twice harmless. */
  id?: string | null;
  sessionId?: string | null;
  properties?: Properties | null;
  context?: Context | null;
  /** Not kept, unless the project is set to; the same holds for the next two. */
  userId?: string | number | null;
  anonymousId?: string | number | null;
  traits?: Properties | null;
  /** When it was sent, by the client's clock. */
  sentAt?: number | string | null;
  /** Whether it was stamped long before it was sent. */
  deferred?: boolean | null;
}

/** Many events in one body. */
export interface Envelope {
  /** Stands for those of its events that have none. */
  projectId?: string | null;
  sentAt?: number | string | null;
  deferred?: boolean | null;
  events: (Omit<WireEvent, 'projectId'> & { projectId?: string | null })[];
}

export interface Options {
  /** The project that the events belong to: letters, digits and `. _ : -`, at most 64. */
  project: string;
  /** Where events go; by default `/event` beside the `/sdk/` folder that the script came from. */
  endpoint?: string;
  /** Send page views, presence and clicks without being asked. Default: true. */
  auto?: boolean;
  /** Count a change of `#hash` as a new page. Default: false. */
  hash?: boolean;
  /** Send `outbound_click`. Default: true. */
  outbound?: boolean;
  /** Send `file_download`. Default: true. */
  downloads?: boolean;
  /** Send `form_submit`. Default: true. */
  forms?: boolean;
  /** Send `web_vital`: LCP, INP, CLS, FCP and TTFB of each page, in a file that is fetched then. Default: false. */
  vitals?: boolean;
  /** Send `js_error`. Default: false. */
  errors?: boolean;
  /** `'none'` keeps nothing on the device; the server then tells sessions apart. Default: `'local'`. */
  storage?: 'local' | 'none';
  /** Seconds without a sign of life after which a session ends. Default: 300. */
  sessionTimeout?: number;
  /** Longest wait of an event behind a request under way, in milliseconds. Default: 1000. */
  flushInterval?: number;
  /** Send nothing when the browser says Global Privacy Control. Default: true. */
  respectGpc?: boolean;
  /** Send nothing when the browser says Do Not Track. Default: false. */
  respectDnt?: boolean;
  /** Track pages on localhost too. Default: true. */
  localhost?: boolean;
  /** Properties that every event gets; an event's own win. */
  props?: Properties;
  /** Rewrite an address before it is sent, for example to remove ids from it. */
  cleanUrl?: (url: string) => string;
  /** Change an event before it is queued, or return a falsy value to drop it. */
  beforeSend?: (event: GlimpseEvent) => GlimpseEvent | null | undefined | false;
  /** Say each event on the console. Default: false. */
  debug?: boolean;
}

export interface ViewOptions {
  /** Share of the element that must be on screen (of the screen, for an element taller than it). Default: 0.5. */
  threshold?: number;
  /** Milliseconds that it must stay there. Default: 0. */
  dwell?: number;
  /** Send one event for each element, or one for each time it comes into view. Default: true. */
  once?: boolean;
}

/** Start the tracker; a second call warns and does nothing. */
export function init(options: Options): void;
/** Send an event of your own. */
export function track(event: string, properties?: Properties): void;
/** Send a page view by hand, for `auto: false` or for pages that have no address of their own. */
export function page(properties?: Properties): void;
/** Send an event when an element, or any element that a selector finds now or later, comes into view. */
export function trackOnView(
  target: Element | string,
  event: string,
  properties?: Properties,
  options?: ViewOptions,
): () => void;
/** Tell traits of this session. The server drops them unless the project has opted in. */
export function identify(traits: Properties): void;
/** Send what is queued now; resolves when the requests have been answered. */
export function flush(): Promise<void>;
/** Stop sending from this device, or start again. */
export function optOut(out?: boolean): void;
/** The id of the session, or undefined when the server tells sessions apart. */
export function sessionId(): string | undefined;
/** Take every hook out of the page, after sending what is queued. */
export function stop(): void;
