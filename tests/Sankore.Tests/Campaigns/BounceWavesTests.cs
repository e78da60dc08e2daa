namespace Sankore.Tests.Campaigns;

/// <summary>A mail server that was wrong about many addresses: an operator takes the wave back at once.</summary>
public sealed class BounceWavesTests(World world) : IClassFixture<World>
{
    private const string Url = $"{Mailings.Api}/bounce-waves";

    [Fact]
    public async Task An_operator_takes_a_wave_back_for_all_senders_and_nobody_who_left_is_touched()
    {
        var (word, other) = ("zeugme", "oxymore");
        await Suppress(word, Cast.HeadOnPremium, 30, "bounced");
        await Suppress(word, Cast.HeadOnEssentiel, 12, "bounced");
        await Suppress(word, Cast.Admin1, 2, "complained");
        await Suppress(other, Cast.HeadOnPremium, 3, "bounced");
        using var operators = await world.As(Cast.Super);

        var wave = (await operators.Ask(HttpMethod.Get, Url).Json()).EnumerateArray()
            .Single(w => w.Text("words").Contains(word, StringComparison.Ordinal));
        wave.Text("words").ShouldBe($"550 … {word} said no, …");
        (wave.Number("addresses"), wave.Number("senders")).ShouldBe((42, 2));
        var taken = new { day = wave.Text("day"), words = wave.Text("words") };
        // A day with as many wordings as addresses hides no wave of the day before.
        await world.Execute("""
            insert into campaigns.suppressions (user_id, email, reason, detail, created_at)
            select u.id, 'q' || i || '@tmese.cg', 'bounced', repeat('x', 1 + i), now() + interval '1 day'
            from auth.users u, generate_series(1, 120) i where u.email = @email
            """, new { email = Cast.HeadOnPremium });
        (await operators.Ask(HttpMethod.Get, Url).Json()).EnumerateArray()
            .Count(w => w.Text("words").Contains(word, StringComparison.Ordinal)).ShouldBe(1);
        (await operators.Ask(HttpMethod.Post, $"{Url}/undo", taken).Json()).Number("addresses").ShouldBe(42);
        (await operators.Ask(HttpMethod.Post, $"{Url}/undo", taken).Json()).Number("addresses").ShouldBe(0, "twice is once");

        (await Left(word)).ShouldBe(2, "who complained stays");
        (await Left(other)).ShouldBe(3);
        (await world.Sql<long>(
            "select count(*) from audit.audit_logs where table_name = 'campaigns.bounce_undos' and after ->> 'words'"
            + " like '%' || @word || '%'",
            new { word })).ShouldBe(1);
        var page = await (await operators.Ask(HttpMethod.Get, "/admin/bounces")).Content.ReadAsStringAsync(
            TestContext.Current.CancellationToken);
        page.ShouldContain(other);
        page.ShouldContain(word);
    }

    [Fact]
    public async Task Whoever_is_no_operator_sees_no_wave_and_takes_none_back()
    {
        const string word = "litote";
        await Suppress(word, Cast.HeadOnPremium, 3, "bounced");
        using var sender = await world.As(Cast.HeadOnPremium);
        await sender.Ask(HttpMethod.Get, Url).ShouldRefuse(403, "FORBIDDEN");
        await sender.Ask(HttpMethod.Post, $"{Url}/undo", new { day = "2026-01-01", words = "" }).ShouldRefuse(403, "FORBIDDEN");
        var user = await world.IdOf(Cast.HeadOnPremium);
        (await world.AsRole<string>("authenticated", user, "select words from campaigns.bounce_waves()")).ShouldBeEmpty();
        (await world.AsRole<Guid>("authenticated", user, "select id from campaigns.bounce_undos")).ShouldBeEmpty();
        await Should.ThrowAsync<Npgsql.PostgresException>(() => world.AsRole<int>(
            "authenticated", user, "select campaigns.undo_bounces(util.local(now())::date, '')"));
        await Should.ThrowAsync<Npgsql.PostgresException>(() => world.AsRole<int>(
            "authenticated", user, "insert into campaigns.bounce_undos (day, words, addresses) values (now(), '', 1) returning 1"));
        (await Left(word)).ShouldBe(3);
    }

    private Task<int> Suppress(string word, string email, int count, string reason) => world.Execute("""
        insert into campaigns.suppressions (user_id, email, reason, detail)
        select u.id, 'p' || i || '@' || @word || '.cg', @reason,
          '550 <p' || i || '@' || @word || '.cg> ' || @word || ' said no, 4F3A9C' || i
        from auth.users u, generate_series(1, @count) i where u.email = @email
        """, new { word, email, count, reason });

    private Task<long> Left(string word) =>
        world.Sql<long>("select count(*) from campaigns.suppressions where email like '%@' || @word || '.cg'", new { word });
}
