/** Where Pipedrive's consent page ends. The extension's content script looks for the element `rc-stepper` and reads the address. */
export const redirectPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pipedrive is connected</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }</style>
</head>
<body>
<main id="rc-stepper">
<h1>Almost done</h1>
<p>Pipedrive has said yes. The browser extension finishes the connection by itself; open it now, if it is not open.</p>
<p>If nothing happens, install the extension, sign in to your telephone account there, and connect Pipedrive again.</p>
</main>
</body>
</html>
`
