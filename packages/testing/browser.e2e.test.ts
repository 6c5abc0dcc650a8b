import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { browserRequirements, decodeQr, openBrowser, screenshot } from "./browser.ts";
import { serveHttp } from "./lab-traffic.ts";
import { createNetwork } from "./network.ts";
import { labRequirements } from "./network-lab.ts";
import { requirements } from "./requirements.ts";
import { temporaryDir } from "./temporary.ts";

const machine = browserRequirements();
const lab = labRequirements();

describe.skipIf(!machine.ok)(machine.title("a browser"), () => {
  test("opens a page, keeps cookies, and starts empty the next time", async () => {
    const server = createServer((request, response) => {
      response.setHeader("set-cookie", "seen=yes; Path=/");
      response.setHeader("content-type", "text/html");
      response.end(`<title>Hello</title><p id="cookie">${request.headers.cookie ?? "none"}</p>`);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
    using dir = temporaryDir();
    for (const _ of ["first", "second"]) {
      await using browser = await openBrowser();
      const page = await browser.newPage();
      await page.goto(url);
      expect(await page.textContent("#cookie")).toBe("none");
      await page.reload();
      expect(await page.textContent("#cookie")).toBe("seen=yes");
      await screenshot(page, join(dir.path, "page.png"));
    }
    server.close();
    const picture = readFileSync(join(dir.path, "page.png"));
    expect(picture.subarray(1, 4).toString()).toBe("PNG");
  });

  test.skipIf(!lab.ok)(lab.title("runs inside a network namespace"), async () => {
    await using network = createNetwork();
    const place = await network.addNamespace("place");
    const web = await serveHttp(place, "127.0.0.1", 80, "only in here");
    await using browser = await openBrowser({ namespace: place });
    const page = await browser.newPage();
    await page.goto(web.url);
    expect(await page.textContent("body")).toBe("only in here");
  });
});

const reader = requirements({ tools: ["zbarimg"] });

describe.skipIf(!reader.ok)(reader.title("a QR code"), () => {
  test("is read exactly, line ends and all", () => {
    expect(decodeQr(Buffer.from(QR_PNG, "base64"))).toBe("[Peer]\nName = Größe ✓\r\n\n");
  });
});

/** A picture of the text above. */
const QR_PNG = `
  iVBORw0KGgoAAAANSUhEUgAAAUoAAAFKAQAAAABTUiuoAAACFUlEQVR4Ae1aSY7DMAwTZh7QJ+XreVIfUEADkrLbzqGoD0Z0YA8p
  khiBYYaL5ER++zt/4uufh+5ZgfgWrDRasQeChacarYXFunyo0bocgoUJCK1hSL+ZecchHxHHfVw+cMVK2EUJg3gQqPMGaO6/GYdw
  y9Rdo9UHLfAI8MSRj8gTrOJpBK+ZW1iRBc3aM7SUkKpHMpFbQEsEM1rDDtqiVSIIqhmtjmix7KJR3UGr52natyZee+Rt4an/M2GZ
  l1LGmKYzoVZiYV33DB08KjpV/qsYPy7y35mwTcqgPfEFQiaUb53xLL+cCbE4ewiz8NSZCZEoUGqdt8dLHKw6GeQyt/qghSpL+sck
  OHCTXtu3evkWGEVuMbInRFB1MnpQsi9zqxG3oHXEiN3BW6rUIlDuPIlaXdAavVxCFkHzEsvEK/sW8VrIA3uGvqUM9JuUBFETIydW
  x9BodUJrYISGLh2MfcLRxrAS9lLCsZdV2ULdQU2RGyjmVituTXsibiIYcrtqMN51JuySMorpyIQskfNtu8tK2E0JSR/1cudOv3zL
  9dZ4l9twa+5GVotQ9VZNUzJpJeyHlvqE2kAeHUOj1U0Jp1HFS4JHN8rfZUwh7MOtp29xx0RxkL1D+9aEa0+DYuGp1cuoCTETVjd+
  fJyBr5+ApX2rC7fkTJ+PRstoXb8CC0J0+dDavPpMK941t65/s4zW5YRZmMAfEPXKUcA32qUAAAAASUVORK5CYII=
`;
