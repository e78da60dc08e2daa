using System.Text.Json;

namespace Sankore.Tests.Identity;

/// <summary>Passkeys (WebAuthn level 3), as first and as second factor, with a device made of code.</summary>
public sealed class PasskeyTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_passkey_signs_in_by_itself_with_and_without_a_second_factor()
    {
        var (client, email, phone) = await WithPasskey();
        using var _ = client;
        client.Bears(await Login(client, await phone.Answer(client)).Json());
        (await client.Ask("/api/me")).Text("email").ShouldBe(email);
        await world.Execute("update auth.users set two_factor_enabled = true where email = @email", new { email });
        client.Bears(await Login(client, await phone.Answer(client)).Json());
        var line = (await client.Ask("/api/auth/passkeys")).Items.Single();
        line.Text("name").ShouldBe("Téléphone");
        line.GetProperty("usedAt").GetDateTime().ShouldBe(DateTime.UtcNow, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_passkey_turns_the_second_factor_on_and_takes_the_place_of_its_code()
    {
        var (client, email, phone) = await WithPasskey();
        var (other, _, foreign) = await WithPasskey();
        using var _1 = client;
        using var _2 = other;
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", await TwoFactorBy(foreign, client))
            .ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf("passkey");
        var on = await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa",
            await TwoFactorBy(phone, client)).Json();
        on.GetProperty("recoveryCodes").GetArrayLength().ShouldBe(10);
        var password = Newcomers.Password;
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password }).ShouldRefuse(401, "TWO_FACTOR_REQUIRED");
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password, passkey = await foreign.Answer(client) })
            .ShouldRefuse(401, "INVALID_CREDENTIALS");
        await client.Ask(HttpMethod.Post, "/api/auth/login", new { email, password = "not it", passkey = await phone.Answer(client) })
            .ShouldRefuse(401, "INVALID_CREDENTIALS");
        client.Bears(await client.Ask(
            HttpMethod.Post, "/api/auth/login", new { email, password, passkey = await phone.Answer(client) }).Json());

        var change = new { newPassword = "une autre phrase", oldPassword = password };
        (await client.Ask(HttpMethod.Post, "/api/auth/manage/info", change).ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf("twoFactorCode");
        await client.Ask(HttpMethod.Post, "/api/auth/manage/info",
            new { change.newPassword, change.oldPassword, passkey = await phone.Answer(client) }).Json();
    }

    [Fact]
    public async Task An_answer_that_is_not_the_right_one_lets_nobody_in()
    {
        var (client, _, phone) = await WithPasskey();
        using var _1 = client;
        var used = await phone.Answer(client);
        await Login(client, used).Json();
        await Login(client, used).ShouldRefuse(401, "PASSKEY_REFUSED");

        using var stranger = new Authenticator { Origin = world.Address, Id = phone.Id };
        var owner = (await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", new { Newcomers.Password }).Json());
        stranger.Create(owner);
        await Login(client, await stranger.Answer(client)).ShouldRefuse(401, "PASSKEY_REFUSED");

        var asked = await client.Ask(HttpMethod.Get, "/api/auth/passkeys/request").Json();
        var again = await client.Ask(HttpMethod.Get, "/api/auth/passkeys/request").Json();
        var mixed = JsonSerializer.SerializeToNode(phone.Sign(asked))!.AsObject();
        mixed["state"] = again.Text("state");
        await Login(client, mixed).ShouldRefuse(401, "PASSKEY_REFUSED");
        mixed["state"] = owner.Text("state");
        await Login(client, mixed).ShouldRefuse(401, "PASSKEY_REFUSED");

        (string What, Action<Authenticator> Bend)[] bent =
        [
            ("another site's page", d => d.Origin = new("https://sankore.example")),
            ("another relying party", d => d.RelyingParty = "sankore.example"),
            ("nobody verified", d => d.IsVerifying = false), ("made, not signed", d => d.SignType = "webauthn.create"),
            ("an unknown credential", d => d.Id = [1, 2, 3]),
        ];
        foreach (var (what, bend) in bent)
        {
            var (mine, _, device) = await WithPasskey();
            bend(device);
            var problem = await Login(mine, await device.Answer(mine)).ShouldRefuse(401, "PASSKEY_REFUSED");
            problem.Text("title").ShouldNotBeEmpty(what);
            mine.Dispose();
        }
    }

    [Theory]
    [InlineData("""{"passkey":{}}""", "PASSKEY_REFUSED")]
    [InlineData("""{"passkey":{"state":null,"credential":null}}""", "PASSKEY_REFUSED")]
    [InlineData("""{"passkey":{"state":"rubbish","credential":{"id":"AA"}}}""", "PASSKEY_REFUSED")]
    [InlineData("""{"passkey":{"state":"CfDJ8","credential":[1,2]}}""", "PASSKEY_REFUSED")]
    [InlineData("""{"passkey":{"state":7}}""", "BAD_REQUEST")]
    [InlineData("""{"passkey":"text"}""", "BAD_REQUEST")]
    [InlineData("""{"email":"a@example.org","passkey":{}}""", "BAD_REQUEST")]
    public async Task Rubbish_for_an_answer_is_refused(string body, string code)
    {
        using var client = world.Nobody();
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        await client.Ask(HttpMethod.Post, "/api/auth/login", content).ShouldRefuse(code == "BAD_REQUEST" ? 400 : 401, code);
    }

    [Fact]
    public async Task A_device_that_counts_is_refused_once_its_count_goes_back()
    {
        using var client = await world.Newcomer();
        using var device = new Authenticator { Origin = world.Address, Count = 5 };
        var request = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", new { Newcomers.Password }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "Clé USB", passkey = device.Create(request) }).Json(204);
        await Login(client, await device.Answer(client)).Json();
        device.Count = 5;
        await Login(client, await device.Answer(client)).ShouldRefuse(401, "PASSKEY_REFUSED");
        await Login(client, await device.Answer(client)).Json();
    }

    [Fact]
    public async Task Two_answers_at_once_are_one_sign_in()
    {
        var (client, _, phone) = await WithPasskey();
        using var _1 = client;
        var answer = await phone.Answer(client);
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Login(client, answer)));
        all.Count(a => a.IsSuccessStatusCode).ShouldBe(1);
    }

    [Fact]
    public async Task Adding_one_asks_for_password_and_factor_and_serves_no_other_account()
    {
        var (client, email, phone) = await WithPasskey();
        using var _1 = client;
        await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", await TwoFactorBy(phone, client)).Json();
        client.Bears(await Login(client, await phone.Answer(client)).Json());
        foreach (var (proof, field) in new[]
        {
            ((object)new { }, "oldPassword"), (new { password = "not it" }, "oldPassword"), (new { Newcomers.Password }, "twoFactorCode"),
            (new { Newcomers.Password, twoFactorCode = "000000" }, "twoFactorCode"),
        })
        {
            (await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", proof).ShouldRefuse(400, "ACCOUNT_INVALID")).ErrorOf(field);
        }
        var request = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request",
            new { Newcomers.Password, passkey = await phone.Answer(client) }).Json();
        using var second = new Authenticator { Origin = world.Address };
        var answer = second.Create(request);
        using var thief = await world.Newcomer();
        await thief.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "x", passkey = answer }).ShouldRefuse(401, "PASSKEY_REFUSED");
        await client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = " ", passkey = answer })
            .ShouldRefuse(400, "VALIDATION_FAILED");
        await client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "x", passkey = answer }).Json(204);
        client.Bears(await Login(client, await second.Answer(client)).Json());
        await client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "x", passkey = answer }).ShouldRefuse(401, "PASSKEY_REFUSED");
        (await world.MailTo(email, "/forgot")).Text.ShouldContain("clé d’accès");
    }

    [Fact]
    public async Task What_was_asked_for_before_the_password_changed_adds_nothing()
    {
        var email = await world.Register();
        using var client = world.Nobody();
        client.Bears(await client.Login(email));
        using var device = new Authenticator { Origin = world.Address };
        var request = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", new { Newcomers.Password }).Json();
        var before = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", new { Newcomers.Password }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/manage/info",
            new { oldPassword = Newcomers.Password, newPassword = "une autre phrase" }).Json();
        client.Bears(await client.Login(email, "une autre phrase"));
        await Add(device.Create(request)).ShouldRefuse(401, "PASSKEY_REFUSED");

        using var other = new Authenticator { Origin = world.Address };
        var again = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", new { password = "une autre phrase" }).Json();
        object[] two = [device.Create(again), other.Create(again)];
        var added = await Task.WhenAll(two.Select(Add));
        added.Count(a => a.IsSuccessStatusCode).ShouldBe(1);
        client.Bears(await client.Login(email, "une autre phrase"));
        await Add(other.Create(before)).ShouldRefuse(401, "PASSKEY_REFUSED");
        (await client.Ask("/api/auth/passkeys")).Items.Count.ShouldBe(1);

        Task<HttpResponseMessage> Add(object passkey) => client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "x", passkey });
    }

    [Fact]
    public async Task One_more_or_one_less_ends_sessions_and_links()
    {
        var email = await world.Register();
        using var here = world.Nobody();
        using var there = world.Nobody();
        await here.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email }).Json();
        var resetCode = (await world.MailTo(email, "/reset")).Query("/reset")["code"].ToString();
        here.Bears(await here.Login(email));
        there.Bears(await there.Login(email));
        using var phone = await Authenticator.Of(world, here);
        await there.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await here.Ask(HttpMethod.Post, "/api/auth/resetPassword", new { email, resetCode, newPassword = "une autre phrase" })
            .ShouldRefuse(400, "ACCOUNT_INVALID");
        here.Bears(await here.Login(email));
        there.Bears(await there.Login(email));
        var id = (await here.Ask("/api/auth/passkeys")).Items.Single().Id();
        using var other = await world.Newcomer();
        await other.Ask(HttpMethod.Post, $"/api/auth/passkeys/{id}/remove", new { Newcomers.Password }).ShouldRefuse(404, "NOT_FOUND");
        await here.Ask(HttpMethod.Post, $"/api/auth/passkeys/{id}/remove", new { }).ShouldRefuse(400, "ACCOUNT_INVALID");
        await here.Ask(HttpMethod.Post, $"/api/auth/passkeys/{id}/remove", new { Newcomers.Password }).Json(204);
        await there.Ask(HttpMethod.Get, "/api/me").ShouldRefuse(401, "UNAUTHENTICATED");
        await Login(here, await phone.Answer(here)).ShouldRefuse(401, "PASSKEY_REFUSED");
        (await world.Rows<string>("select action from audit.audit_logs where record_id = @id order by id", new { id = id.ToString() }))
            .ShouldBe(["INSERT", "DELETE"]);
    }

    [Fact]
    public async Task The_passkey_that_a_second_factor_rests_on_is_not_removed()
    {
        var (client, email, phone) = await WithPasskey();
        using var _1 = client;
        await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", new { }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/manage/2fa", await TwoFactorBy(phone, client)).Json();
        client.Bears(await Login(client, await phone.Answer(client)).Json());
        var id = (await client.Ask("/api/auth/passkeys")).Items.Single().Id();
        await Remove(id).ShouldRefuse(409, "LAST_FACTOR");
        using var second = await Authenticator.Of(world, client, new { Newcomers.Password, passkey = await phone.Answer(client) });
        client.Bears(await Login(client, await second.Answer(client)).Json());
        await Remove(id).Json(204);
        await client.Ask(HttpMethod.Post, "/api/auth/login",
            new { email, Newcomers.Password, passkey = await second.Answer(client) }).Json();

        async Task<HttpResponseMessage> Remove(Guid which) => await client.Ask(HttpMethod.Post, $"/api/auth/passkeys/{which}/remove",
            new { Newcomers.Password, passkey = await phone.Answer(client) });
    }

    [Theory]
    [InlineData("a forgotten password, without a second factor", false), InlineData("a forgotten password, with one", true),
        InlineData("an address proved for the first time", false), InlineData("an administrator's recovery", false)]
    public async Task What_gives_an_account_back_ends_passkeys_that_somebody_else_could_have_added(string what, bool isFactor)
    {
        var email = await world.Register(isProved: what[..2] != "an" || what.Contains("recovery", StringComparison.Ordinal));
        using var client = world.Nobody();
        client.Bears(await client.Login(email));
        using var phone = await Authenticator.Of(world, client);
        if (what.Contains("with one", StringComparison.Ordinal) || what.StartsWith("an ", StringComparison.Ordinal))
        {
            await world.Execute("update auth.users set two_factor_enabled = true where email = @email", new { email });
        }
        if (what.Contains("recovery", StringComparison.Ordinal))
        {
            await Recover(email);
        }
        else
        {
            await client.Ask(HttpMethod.Post, "/api/auth/forgotPassword", new { email }).Json();
            var resetCode = (await world.MailTo(email, "/reset")).Query("/reset")["code"].ToString();
            await client.Ask(HttpMethod.Post, "/api/auth/resetPassword", new { email, resetCode, newPassword = "une autre phrase" }).Json();
        }
        await Login(client, await phone.Answer(client)).ShouldRefuse(401, "PASSKEY_REFUSED");
        (await world.MailTo(email, "/forgot")).ShouldNotBeNull();
        if (isFactor)
        {
            // It is the second factor still, and signs in by itself again once it was used so.
            var beside = new { email, password = "une autre phrase", passkey = await phone.Answer(client) };
            client.Bears(await client.Ask(HttpMethod.Post, "/api/auth/login", beside).Json());
            await Login(client, await phone.Answer(client)).Json();
        }
    }

    [Fact]
    public async Task Nobody_reads_anothers_passkeys_nor_the_keys_of_their_own()
    {
        var (client, email, phone) = await WithPasskey();
        client.Dispose();
        phone.Dispose();
        var (owner, other) = (await world.IdOf(email), await world.IdOf(Cast.Super));
        (await world.AsRole<string>("authenticated", owner, "select name from auth.passkeys")).ShouldBe(["Téléphone"]);
        (await world.AsRole<string>("authenticated", other, "select name from auth.passkeys")).ShouldBeEmpty();
        foreach (var (role, sql) in new[]
        {
            ("authenticated", "select encode(public_key, 'hex') from auth.passkeys"),
            ("authenticated", "delete from auth.passkeys returning name"),
            ("authenticated", "update auth.passkeys set name = 'x' returning name"), ("anon", "select name from auth.passkeys"),
        })
        {
            (await Should.ThrowAsync<Exception>(() => world.AsRole<string>(role, role == "anon" ? null : owner, sql))).Message
                .ShouldContain("permission denied");
        }
    }

    [Fact]
    public async Task Who_asks_learns_nothing_of_who_has_one_and_there_are_twenty_at_most()
    {
        var (client, email, phone) = await WithPasskey();
        using var _1 = client;
        phone.Dispose();
        var asked = await client.Ask(HttpMethod.Get, "/api/auth/passkeys/request").Json();
        asked.GetProperty("options").GetProperty("allowCredentials").GetArrayLength().ShouldBe(0);
        await world.Execute("""
            insert into auth.passkeys (
              id, user_id, name, credential_id, public_key, sign_count, transports, is_backup_eligible, is_backed_up)
            select gen_random_uuid(), (select id from auth.users where email = @email), 'n', uuid_send(gen_random_uuid()), '', 0, '{}',
              false, false
            from generate_series(1, 19)
            """, new { email });
        client.Bears(await client.Login(email));
        using var device = new Authenticator { Origin = world.Address };
        var request = await client.Ask(HttpMethod.Post, "/api/auth/passkeys/request", new { Newcomers.Password }).Json();
        await client.Ask(HttpMethod.Post, "/api/auth/passkeys", new { name = "21", passkey = device.Create(request) })
            .ShouldRefuse(422, "UNPROCESSABLE");
    }

    private static async Task<object> TwoFactorBy(Authenticator device, HttpClient client) =>
        new { enable = true, Newcomers.Password, passkey = await device.Answer(client) };

    /// <summary>Somebody new, signed in again after adding a passkey.</summary>
    private async Task<(HttpClient Client, string Email, Authenticator Phone)> WithPasskey()
    {
        var email = await world.Register();
        var client = world.Nobody();
        client.Bears(await client.Login(email));
        var phone = await Authenticator.Of(world, client);
        client.Bears(await client.Login(email));
        return (client, email, phone);
    }

    private async Task Recover(string email)
    {
        using var admin = await world.As(Cast.Super);
        var id = await world.IdOf(email);
        (await admin.Post($"/api/users/{id}/recovery", new { reason = "Vue avec sa carte au bureau" })).Code.ShouldBeNull();
        await world.Execute("update util.job_queue set run_at = now() where job_type = 'account_recovery'; select pg_notify('jobs', '')");
        await Waiting.Until(
            () => world.Sql<bool>("select not two_factor_enabled from auth.users where id = @id", new { id }), "it is taken away");
    }

    private static Task<HttpResponseMessage> Login(HttpClient client, object passkey) =>
        client.Ask(HttpMethod.Post, "/api/auth/login", new { passkey });
}
