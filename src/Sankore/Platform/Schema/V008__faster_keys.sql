-- The same words and keys as before, without the cost of calling a function in SQL that cannot be put into the query that calls it.
create or replace function util.fold(p_text text) returns text
language plpgsql immutable strict parallel safe as $$
begin
  if p_text ~ '^[!-~]+( [!-~]+)*$' and strpos(p_text, '`') = 0 then
    return lower(p_text collate "C");
  end if;
  -- What French is written in, but for its ligatures: a letter and its accent.
  if p_text ~ '^[!-_a-~À-ÅÇ-ÏÑ-ÖÙ-Ýà-åç-ïñ-öù-ýÿ]+( [!-_a-~À-ÅÇ-ÏÑ-ÖÙ-Ýà-åç-ïñ-öù-ýÿ]+)*$' then
    return lower(regexp_replace(normalize(p_text, NFKD), '[\u0300-\u036f]', '', 'g') collate "C");
  end if;
  return btrim(regexp_replace(replace(replace(translate(
    lower(regexp_replace(normalize(p_text, NFKD), '[\u0300-\u036f]', '', 'g') collate "und-x-icu"),
    '’‘ʼ`', ''''''''''), 'œ', 'oe'), 'æ', 'ae'), '\s+', ' ', 'g'));
end $$;

create or replace function util.address_key(p_address text) returns text
language plpgsql immutable strict parallel safe as $$
begin
  return case when p_address ~ '^[!-~]*$' then lower(p_address collate "C") else util.folded_address(p_address) end;
end $$;
