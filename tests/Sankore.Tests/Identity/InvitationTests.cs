using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Security;
using Sankore.Rbac;

namespace Sankore.Tests.Identity;

/// <summary>One-time links: the operator's set-up link, and invitations.</summary>
public sealed class InvitationTests(EmptyWorld world) : IClassFixture<EmptyWorld>
{
    [Fact]
    public async Task The_set_up_link_makes_one_administrator_and_is_used_up()
    {
        var link = await SetUpLink();
        var email = $"{Catalogue.Word()}@example.org";
        using var browser = new Browser(world.Address);
        using var accepted = await Accept(browser, link, email);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Redirect, await accepted.Body());

        await browser.Page("/admin");
        using var client = world.Nobody();
        client.Bears(await client.Login(email));
        var me = await client.Ask(HttpMethod.Get, "/api/me").Json();
        me.GetProperty("roles").EnumerateArray().Select(r => r.GetString()).ShouldContain("admin");
        me.Text("displayName").ShouldBe("Amina Nkounkou");
        await IsRefused(link);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Several_clicks_at_once_make_one_account(bool ofTheSamePerson)
    {
        var link = await SetUpLink();
        var before = await Accounts();
        string[] emails = [.. Enumerable.Range(0, 4).Select(_ => $"{Catalogue.Word()}@example.org")];
        var browsers = emails.Select(_ => new Browser(world.Address)).ToArray();
        var forms = await Task.WhenAll(browsers.Select(async b => Browser.Form(await b.Page(link), "Form.Token").Fields));
        var answers = await Task.WhenAll(browsers.Zip(forms, (browser, fields) =>
        {
            foreach (var (name, value) in Filled(emails[ofTheSamePerson ? 0 : Array.IndexOf(browsers, browser)]))
            {
                fields[name] = value;
            }
            return browser.Client.Ask(HttpMethod.Post, link, new FormUrlEncodedContent(fields!));
        }));

        answers.Count(a => a.StatusCode == HttpStatusCode.Redirect).ShouldBe(1);
        (await Accounts()).ShouldBe(before + 1);
        foreach (var refused in answers.Where(a => a.StatusCode != HttpStatusCode.Redirect))
        {
            (await refused.Body()).ShouldContain("role=\"alert\"");
        }
        using var client = world.Nobody();
        await client.Login(await world.Sql<string>("select email from auth.users order by created_at desc limit 1"));
        Array.ForEach(browsers, b => b.Dispose());
    }

    [Fact]
    public async Task A_link_ends_when_its_time_is_over_or_a_newer_one_is_given()
    {
        var first = await SetUpLink();
        var second = await SetUpLink();
        await IsRefused(first);
        await new Browser(world.Address).Page(second);
        await world.Execute("update rbac.invitations set expires_at = now() where used_at is null");
        await IsRefused(second);
        await IsRefused("/setup");
        await IsRefused("/setup?token=rubbish");
        await IsRefused("/setup?token=");
    }

    [Fact]
    public async Task A_link_that_ended_while_its_form_was_open_is_refused()
    {
        var link = await SetUpLink();
        var before = await Accounts();
        using var browser = new Browser(world.Address);
        var (_, fields) = Browser.Form(await browser.Page(link), "Form.Token");
        await world.Execute("update rbac.invitations set expires_at = now() where used_at is null");
        foreach (var (name, value) in Filled($"{Catalogue.Word()}@example.org"))
        {
            fields[name] = value;
        }
        using var answer = await browser.Client.Ask(HttpMethod.Post, link, new FormUrlEncodedContent(fields!));
        WebUtility.HtmlDecode(await answer.Body()).ShouldContain("Ce lien a déjà servi ou n’est plus valable.");
        (await Accounts()).ShouldBe(before);
    }

    [Fact]
    public async Task Only_a_hash_of_the_link_is_kept()
    {
        var token = (await SetUpLink()).Split('=')[1];
        (await world.Sql<int>("select count(*)::int from rbac.invitations where encode(token_hash, 'hex') = @token", new { token }))
            .ShouldBe(0);
        (await world.Sql<int>(
            "select count(*)::int from rbac.invitations where token_hash = sha256(convert_to(@token, 'UTF8'))", new { token })).ShouldBe(1);
        (await world.Sql<int>("select count(*)::int from audit.audit_logs where table_name = 'rbac.invitations' and after ? 'token_hash'"))
            .ShouldBe(0);
    }

    [Fact]
    public async Task An_invitation_is_for_its_address_whatever_the_form_says()
    {
        var email = $"{Catalogue.Word()}@example.org";
        var link = await Use(i => i.Invite(Caller.Service, email, "moderator", TestContext.Current.CancellationToken));
        (await world.MailTo(email, "/setup")).Link("/setup").ShouldBe(link);

        using var browser = new Browser(world.Address);
        using var accepted = await Accept(browser, link, "somebody.else@example.org");
        accepted.StatusCode.ShouldBe(HttpStatusCode.Redirect, await accepted.Body());
        using var client = world.Nobody();
        client.Bears(await client.Login(email));
        (await client.Ask(HttpMethod.Get, "/api/me").Json()).GetProperty("roles").EnumerateArray().Select(r => r.GetString())
            .ShouldContain("moderator");
        (await Should.ThrowAsync<Refusal>(
            () => Use(i => i.Invite(Caller.Service, email.ToUpperInvariant(), "admin", TestContext.Current.CancellationToken))))
            .Reason.Code.ShouldBe("EMAIL_TAKEN");
    }

    [Theory]
    [InlineData("")]
    [InlineData("nobody")]
    [InlineData("Bob <bob@example.org>")]
    [InlineData("bob@example.org, eve@example.org")]
    [InlineData("bob @example.org")]
    [InlineData("bob@example.org\r\nBcc: eve@example.org")]
    public async Task What_is_no_address_is_not_invited(string email) =>
        (await Should.ThrowAsync<Refusal>(() => Use(i => i.Invite(Caller.Service, email, "admin", TestContext.Current.CancellationToken))))
            .Reason.Code.ShouldBe("EMAIL_INVALID");

    [Fact]
    public async Task A_form_filled_in_wrongly_says_what_is_wrong_and_keeps_the_link()
    {
        var link = await SetUpLink();
        using var browser = new Browser(world.Address);
        (string Field, string Value)[] cases =
        [
            ("Form.Password", "court"), ("Form.Password", "sankore-demo"), ("Form.Email", "nobody"), ("Form.DisplayName", " "),
        ];
        foreach (var (field, value) in cases)
        {
            using var answer = await browser.Submit(link, "Form.Token", [.. Filled($"{Catalogue.Word()}@example.org"), (field, value)]);
            var html = await answer.Body();
            html.ShouldContain("aria-invalid=\"true\"", Case.Sensitive, $"{field}={value}");
            html.ShouldNotContain("EMAIL_INVALID");
        }
        using var accepted = await Accept(browser, link, $"{Catalogue.Word()}@example.org");
        accepted.StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    private static (string, string?)[] Filled(string email) =>
        [("Form.DisplayName", "Amina Nkounkou"), ("Form.Email", email), ("Form.Password", Newcomers.Password)];

    private static Task<HttpResponseMessage> Accept(Browser browser, string link, string email) =>
        browser.Submit(link, "Form.Token", Filled(email));

    private async Task IsRefused(string link)
    {
        using var browser = new Browser(world.Address);
        using var answer = await browser.Get(link);
        var html = WebUtility.HtmlDecode(await answer.Body());
        html.ShouldContain("Ce lien a déjà servi ou n’est plus valable.");
        html.ShouldNotContain("Form.Password");
    }

    private Task<int> Accounts() => world.Sql<int>("select count(*)::int from auth.users");

    private Task<string> SetUpLink() => Use(i => i.SetUp(TestContext.Current.CancellationToken));

    private async Task<string> Use(Func<Invitations, Task<Uri>> act)
    {
        await using var scope = world.App.Services.CreateAsyncScope();
        return (await act(scope.ServiceProvider.GetRequiredService<Invitations>())).PathAndQuery;
    }
}
