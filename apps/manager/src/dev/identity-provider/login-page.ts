import { html } from '../../pages/html.js';

/** The one page of the development providers; it works without JavaScript. */
export function loginPage(options: {
  readonly name: string;
  readonly email?: string;
  readonly problem?: boolean;
}): string {
  const { name, email = '', problem = false } = options;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${name}</title>
        <style>
          body {
            max-width: 24rem;
            margin: 4rem auto;
            padding: 0 1rem;
            font:
              1rem/1.5 system-ui,
              sans-serif;
          }
          input,
          button {
            box-sizing: border-box;
            width: 100%;
            margin: 0.25rem 0 1rem;
            padding: 0.6rem;
            border: 1px solid #7c8798;
            border-radius: 0.5rem;
            font: inherit;
          }
          button {
            border-color: transparent;
            background: #1f5fd0;
            color: #fff;
            font-weight: 600;
            cursor: pointer;
          }
          :focus-visible {
            outline: 3px solid #6fa3ff;
            outline-offset: 2px;
          }
        </style>
      </head>
      <body>
        <h1>${name}</h1>
        <p>A provider of the development stack: it plays the one of your organisation.</p>
        ${problem && html`<p role="alert">E-mail address or password is not right.</p>`}
        <form method="post">
          <label for="email">E-mail address</label>
          <input id="email" name="email" type="email" autocomplete="username" required value="${email}" />
          <label for="password">Password</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required autofocus />
          <button type="submit">Sign in</button>
        </form>
      </body>
    </html>`.text;
}
