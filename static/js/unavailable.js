// The page in place of one whose database is away: asks for that one until it is there.

const { address, seconds } = document.querySelector("[data-address]").dataset;

async function look() {
  let wait = seconds;
  try {
    // Not followed: a redirect, as to the login, is an answer.
    const { status, headers } = await fetch(address, { method: "HEAD", cache: "no-store", redirect: "manual" });
    if (status === 429) {
      wait = Math.max(seconds, Math.min(3600, Number(headers.get("Retry-After")) || 0));
    } else if (status < 500) {
      location.replace(address);
      return;
    }
  } catch {
    // The server itself is away.
  }
  setTimeout(look, wait * 1000);
}

setTimeout(look, seconds * 1000);
