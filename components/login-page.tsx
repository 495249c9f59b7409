'use client';

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf } from './trpc-client';
import { Notice } from './ui/notice';

export function LoginPage() {
  const [password, setPassword] = useState('');
  const state = useQuery({ queryKey: ['session'], queryFn: () => api.session.state.query() });
  const login = useMutation({
    mutationFn: () => api.session.login.mutate({ password }),
    onSuccess: () => window.location.assign(nextPath()),
  });
  return (
    <main className="mx-auto w-full max-w-sm px-4 py-[15vh]">
      <h1 className="text-xl font-semibold">Sign in to Ivy</h1>
      {state.data && !state.data.signInRequired ? (
        <p className="mt-3 text-muted">
          No sign-in is needed on this machine.{' '}
          <a className="text-ivy underline" href="/">
            Go to the chat
          </a>
        </p>
      ) : (
        <form
          className="mt-4 space-y-3"
          onSubmit={(event) => {
            event.preventDefault();
            login.mutate();
          }}
        >
          <label className="block">
            <span className="label">Admin password</span>
            <input
              type="password"
              autoComplete="current-password"
              className="field mt-1 w-full"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </label>
          {login.isError && <Notice tone="failure">{messageOf(login.error)}</Notice>}
          <button type="submit" className="button-primary w-full" disabled={password === '' || login.isPending}>
            Sign in
          </button>
          <p className="text-sm text-muted">The password is IVY_ADMIN_PASSWORD in the server’s .env file.</p>
        </form>
      )}
    </main>
  );
}

/** Where the person wanted to go, if that is a path of this site. */
function nextPath(): string {
  const next = new URLSearchParams(window.location.search).get('next') ?? '/';
  const target = URL.canParse(next, window.location.origin) ? new URL(next, window.location.origin) : undefined;
  return target?.origin === window.location.origin && /^\/(?![/\\])/.test(next) ? next : '/';
}
