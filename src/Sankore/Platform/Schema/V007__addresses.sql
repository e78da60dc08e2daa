-- Words and addresses in the one form by which they are found. Columns are generated from these: they stay as they are.

-- Words without case, accents, doubled blanks and typographic apostrophes: what people type is found however it was written.
create function util.fold(p_text text) returns text
language sql immutable strict parallel safe as $$
  select case when p_text ~ '^[!-~]+( [!-~]+)*$' and p_text !~ '`' then lower(p_text collate "C") collate "default"
    else btrim(regexp_replace(replace(replace(translate(
      lower(regexp_replace(normalize(p_text, NFKD), '[\u0300-\u036f]', '', 'g') collate "und-x-icu"),
      '’‘ʼ`', ''''''''''), 'œ', 'oe'), 'æ', 'ae'), '\s+', ' ', 'g')) collate "default" end
$$;

-- A label of a domain in ASCII (RFC 3492), without its « xn-- ».
create function util.punycode(p_label text) returns text
language plpgsql immutable strict parallel safe as $$
declare
  v_codes integer[] := array(select ascii(c) from string_to_table(p_label, null) c);
  v_out   text := array_to_string(array(select c from string_to_table(p_label, null) c where ascii(c) < 128), '');
  v_basic integer := length(v_out);
  v_done  integer := length(v_out);
  v_n     integer := 128;
  v_delta bigint := 0;
  v_bias  integer := 72;
  v_next  integer;
  v_code  integer;
  v_q     bigint;
  v_k     integer;
  v_t     integer;
begin
  v_out := v_out || case when v_basic > 0 then '-' else '' end;
  while v_done < cardinality(v_codes) loop
    select min(c) into v_next from unnest(v_codes) c where c >= v_n;
    v_delta := v_delta + (v_next - v_n)::bigint * (v_done + 1);
    v_n := v_next;
    foreach v_code in array v_codes loop
      if v_code < v_n then
        v_delta := v_delta + 1;
      elsif v_code = v_n then
        v_q := v_delta;
        v_k := 36;
        loop
          v_t := greatest(1, least(26, v_k - v_bias));
          exit when v_q < v_t;
          v_out := v_out || substr('abcdefghijklmnopqrstuvwxyz0123456789', (v_t + (v_q - v_t) % (36 - v_t))::integer + 1, 1);
          v_q := (v_q - v_t) / (36 - v_t);
          v_k := v_k + 36;
        end loop;
        v_out := v_out || substr('abcdefghijklmnopqrstuvwxyz0123456789', v_q::integer + 1, 1);
        v_delta := case when v_done = v_basic then v_delta / 700 else v_delta / 2 end;
        v_delta := v_delta + v_delta / (v_done + 1);
        v_k := 0;
        while v_delta > 455 loop
          v_delta := v_delta / 35;
          v_k := v_k + 36;
        end loop;
        v_bias := v_k + (36 * v_delta / (v_delta + 38))::integer;
        v_delta := 0;
        v_done := v_done + 1;
      end if;
    end loop;
    v_delta := v_delta + 1;
    v_n := v_n + 1;
  end loop;
  return v_out;
end $$;

-- An address that is not plain ASCII in its one form: without what is invisible, composed (NFC), its domain as it is asked for (IDNA), in
-- lower case.
create function util.folded_address(p_address text) returns text
language plpgsql immutable strict parallel safe as $$
declare
  v_text   text := normalize(regexp_replace(regexp_replace(p_address,
    '[\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f'
      || '\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]', '', 'g'),
    '^[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$',
    '', 'g'), NFC);
  v_local  text := substring(v_text from '^(.*)@[^@]*$');
  v_domain text;
begin
  if v_local is null then
    return translate(lower(v_text collate "und-x-icu"), 'ς', 'σ');
  end if;
  select string_agg(case when label ~ '[^ -~]' then 'xn--' || util.punycode(label) else label end, '.' order by n) into v_domain
  from string_to_table(translate(normalize(
      lower(translate(substring(v_text from '@([^@]*)$'), 'Σ', 'σ') collate "und-x-icu"), NFKC), '。', '.'), '.')
    with ordinality l (label, n);
  return translate(lower(v_local collate "und-x-icu"), 'ς', 'σ') || '@' || coalesce(v_domain, '');
end $$;

-- The key of an address: the same as Addresses.Key in C# (AddressTests compares the two). Two spellings of one address have one.
create function util.address_key(p_address text) returns text
language sql immutable strict parallel safe as $$
  select case when p_address ~ '^[!-~]*$' then lower(p_address collate "C") collate "default" else util.folded_address(p_address) end
$$;
grant execute on function util.fold(text), util.punycode(text), util.folded_address(text), util.address_key(text)
  to anon, authenticated, service_role;
