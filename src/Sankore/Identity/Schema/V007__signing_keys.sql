-- What signs the tokens with which an application of its own learns who opens it (docs/modules.md): the private half is protected by the
-- key ring, the public half is what /.well-known/jwks.json shows.
create table auth.signing_keys (
  id          uuid not null default gen_random_uuid(),
  private     bytea not null,
  public      jsonb not null,
  created_at  timestamptz not null default now(),
  constraint signing_keys_pkey primary key (id)
);
select util.protect('auth.signing_keys');
