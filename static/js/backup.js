/* Texts that the server has not acknowledged, in IndexedDB: they survive a closed tab and a crash. */

const NAME = "studio", STORE = "texts";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

const key = (user, copy) => `${user}/${copy}`;

/** Keep the fields of a copy, the version they are based on, and when they were typed. */
export const put = (user, copy, entry) => run("readwrite", (store) => store.put(entry, key(user, copy)));

/** The fields that were kept, or undefined. */
export const get = (user, copy) => run("readonly", (store) => store.get(key(user, copy)));

/** Forget the fields of a copy. */
export const remove = (user, copy) => run("readwrite", (store) => store.delete(key(user, copy)));

/** Forget everything of a user, when they log out. */
export const clear = (user) => run("readwrite", (store) => store.delete(IDBKeyRange.bound(`${user}/`, `${user}/\uffff`)));
