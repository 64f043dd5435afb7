/** Requests to the server that this page came from. */

const KEY = "hanlin.key";

/** What a request failed of, in words for people. */
export class Failure extends Error {}

/** Returns a text whose characters are the bytes of UTF-8, as headers want. */
function bytesOf(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/**
 * Returns a function that asks the server, and asks the user for the key where
 * the server wants one.
 *
 * @param {function(boolean): Promise<?string>} askForKey gets whether a key
 *     was refused; null where the user gave none.
 * @param {function(): object} words of the language.
 */
export function connect(askForKey, words) {
  let asking = null;  // One dialog, however many requests want a key.

  async function once(path, body) {
    const key = sessionStorage.getItem(KEY);
    const headers = key ? { Authorization: `Bearer ${bytesOf(key)}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    try {
      return await fetch(path, {
        method: body ? "POST" : "GET",
        headers,
        body: body && JSON.stringify(body),
      });
    } catch {
      throw new Failure(words().unreachable);
    }
  }

  /** @throws {Failure} */
  return async function ask(path, body) {
    let response = await once(path, body);
    while (response.status === 401) {
      asking ??= askForKey(sessionStorage.getItem(KEY) !== null);
      const key = await asking.finally(() => { asking = null; });
      if (!key) throw new Failure(words().keyless);
      sessionStorage.setItem(KEY, key);
      response = await once(path, body);
    }
    const value = await response.json().catch(() => null);
    if (response.ok && value) return value;
    const wait = response.headers.get("Retry-After");
    if (response.status === 429 && wait) {
      throw new Failure(words().busy(wait));
    }
    throw new Failure(
      value?.error?.message ?? words().strange(response.status),
    );
  };
}
