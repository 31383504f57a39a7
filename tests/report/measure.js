// Shows `pages` in frames of `widths` and writes down what it sees in them, as JSON in #found.
// A frame with its page in `srcdoc` has the origin of the page around it, which may thus look into it.

// Of a colour in CSS: red, green, blue, and how opaque it is.
function channels(text) {
  const numbers = text.match(/[\d.]+/g).map(Number);
  return numbers.length > 3 ? numbers : [...numbers, 1];
}

function background(element) {
  for (; element; element = element.parentElement) {
    const color = channels(getComputedStyle(element).backgroundColor);
    if (color[3]) return color;
  }
  return [255, 255, 255, 1];
}

// WCAG 2, "relative luminance" and "contrast ratio".
function luminance(color) {
  const [red, green, blue] = color.slice(0, 3).map(channel => channel / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(element) {
  const colors = [channels(getComputedStyle(element).color), background(element)];
  const [darker, lighter] = colors.map(luminance).sort((one, other) => one - other);
  return (lighter + 0.05) / (darker + 0.05);
}

function measure(frame) {
  const page = frame.contentDocument, root = page.documentElement;
  const texts = [...page.body.querySelectorAll("*")].filter(element =>
    element.getClientRects().length && [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  const beyond = element => element.getBoundingClientRect().right > root.clientWidth + 1;
  return {
    overflow: root.scrollWidth - root.clientWidth,
    clipped: texts.filter(beyond).length,
    contrast: Math.min(...texts.map(contrast)),
    background: background(page.querySelector("[role=main]") ?? page.body),
    heading: channels(getComputedStyle(page.querySelector("h1") ?? page.body).color).slice(0, 3),
    aligned: [...page.querySelectorAll("td[align=right]")]
      .every(cell => /right$/.test(getComputedStyle(cell).textAlign)),
    tops: [...page.querySelectorAll("h1, h2")].map(heading => heading.getBoundingClientRect().top),
    ran: frame.contentWindow.pwned !== undefined || window.pwned !== undefined,
    text: page.body.innerText.length,
  };
}

const found = [];
for (const page of pages) for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 900px; border: 0`;
  // After a while: an image that cannot be loaded has told so by then.
  frame.onload = () => setTimeout(() => {
    found.push({page: pages.indexOf(page), width, ...measure(frame)});
    if (found.length === widths.length * pages.length)
      document.getElementById("found").textContent = JSON.stringify(found);
  }, 500);
  frame.srcdoc = page;
  document.body.append(frame);
}
