// What scripts say, in the reader's language. Sentences stand in English where they are said; a page in another language
// brings along those of its own scripts. What it does not bring is said in English.

const known = {};
for (const brought of document.querySelectorAll("script[data-words]")) Object.assign(known, JSON.parse(brought.textContent));

/** A sentence with its values, each in its braces. */
export function say(sentence, values = {}) {
  return (known[sentence] ?? sentence).replace(/\{([a-z_]+)\}/g, (whole, name) => String(values[name] ?? whole));
}
