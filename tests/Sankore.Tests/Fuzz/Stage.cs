using System.Net.Http.Headers;
using Sankore.Identity;

namespace Sankore.Tests.Fuzz;

/// <summary>Somebody who asks.</summary>
/// <param name="Name">For people who read of a violation.</param>
/// <param name="Email">Whose, to sign in again when the caller has ended the own session; null: nobody's.</param>
/// <param name="Token">The bearer token; null: none.</param>
/// <param name="Reads">Whose ids are read, the own first.</param>
/// <param name="Writes">Whose ids are written to.</param>
/// <param name="Mark">Stands in what the caller writes.</param>
/// <param name="Hidden">Words that no answer to the caller has.</param>
internal sealed record FuzzCaller(
    string Name, string? Email, string? Token, Owner[] Reads, Owner[] Writes, string Mark, string[] Hidden)
{
    /// <summary>The token in use.</summary>
    public string? Token { get; set; } = Token;

    /// <summary>An address whose answers have hidden words all the same: the caller has a permission for it.</summary>
    public string? Entitled { get; init; }

    /// <summary>Whether it is somebody of the other group, or of none.</summary>
    public bool IsStranger { get; init; }
}

/// <summary>What came of a request.</summary>
/// <param name="Status">0: nothing did.</param>
/// <param name="Version">The row's; null: the answer is none.</param>
internal sealed record FuzzAnswer(int Status, string? MediaType, string? Version, string Headers, string Body);

/// <summary>A server with two groups that know nothing of each other, a third that may be spoilt, and all kinds of callers.</summary>
internal sealed class Stage : IDisposable
{
    private const int SpareGroups = 30;

    private readonly World _world;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    private Stage(World world, ApiDocument document, Owner alpha, Owner beta, IReadOnlyList<FuzzCaller> callers) =>
        (_world, Document, Alpha, Beta, Callers) = (world, document, alpha, beta, callers);

    public ApiDocument Document { get; }

    /// <summary>The group of which the other must not hear.</summary>
    public Owner Alpha { get; }

    /// <summary>The other group.</summary>
    public Owner Beta { get; }

    public IReadOnlyList<FuzzCaller> Callers { get; }

    /// <summary>Sets it up in a world.</summary>
    public static async Task<Stage> Of(World world)
    {
        using var super = await world.As(Cast.Super);
        var (alpha, beta, spare) =
            (await Owner.Make(world, super, "Alpha"), await Owner.Make(world, super, "Beta"), await Owner.Make(world, super, "Spare"));
        foreach (var number in Enumerable.Range(0, SpareGroups))
        {
            // On no plan yet.
            spare.Ids.Add("groups", await super.New("/api/groups", new { name = $"{spare.Mark} {number}" }));
        }
        return new Stage(world, await ApiDocument.Of(world), alpha, beta, await Everybody(world, super, alpha, beta, spare));
    }

    /// <summary>Sends a request; whoever has ended the own session by it or one before signs in again.</summary>
    public async Task<FuzzAnswer> Send(FuzzCaller caller, FuzzRequest request)
    {
        if (request.IfMatch == FuzzRequest.Current)
        {
            var read = await Send(caller.Token, request with { Method = "GET", IfMatch = null, ContentType = null, Body = null });
            request = request with { IfMatch = read.Version ?? await VersionOf(request.Target.Split('?')[0].Split('/')) };
        }
        var answer = await Send(caller.Token, request);
        if (answer.Status == 503)
        {
            // Others were at the same rows: whoever is asked to come again does.
            return await Send(caller.Token, request);
        }
        if (answer.Status != 401 || caller.Email is null)
        {
            return answer;
        }
        // Whatever passwords were guessed meanwhile.
        await _world.Execute("delete from auth.attempts");
        using var nobody = _world.Nobody();
        caller.Token = (await nobody.Login(caller.Email, PasswordRules.Demo)).Text("accessToken");
        return await Send(caller.Token, request);
    }

    /// <summary>The version of what cannot be asked for one at a time, as a header; null: of an assignment that is not there yet.</summary>
    private Task<string?> VersionOf(string[] path) => _world.Sql<string?>("""
        select case when @owner = 'users' and max(version) is null then null else '"' || coalesce(max(version), 1) || '"' end
        from (select id, version from tenancy.subscriptions union all select id, version from tenancy.memberships
              union all select coalesce(module_id, category_id), version from tenancy.user_module_permissions
              where user_id::text = @user) rows
        where id::text = @id
        """, new { id = path[^1], user = path[^3], owner = path[2] });

    public void Dispose() => _http.Dispose();

    private async Task<FuzzAnswer> Send(string? token, FuzzRequest request)
    {
        using var message = request.ToMessage(_world.Address);
        message.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var answer = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
            var type = answer.Content.Headers.ContentType?.MediaType;
            // A live stream has no end to wait for.
            var body = type == "text/event-stream" ? "" : await answer.Content.ReadAsStringAsync();
            var headers = $"{answer.Headers}{answer.Content.Headers}";
            return new FuzzAnswer((int)answer.StatusCode, type, answer.Headers.ETag?.Tag, headers, body);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return new FuzzAnswer(0, null, null, "", e.Message);
        }
    }

    private static async Task<FuzzCaller[]> Everybody(World world, HttpClient super, Owner alpha, Owner beta, Owner spare)
    {
        var (both, all) = ((Owner[])[beta, alpha], (Owner[])[alpha, beta, spare]);
        string[] hidden = [alpha.Mark, alpha.Secret, alpha.Admin, alpha.Teacher];
        return
        [
            new("nobody", null, null, both, both, "Nobody", hidden),
            new("a broken token", null, "CfDJ8broken", both, both, "Nobody", hidden),
            await Person("a member without a group", await world.NewPerson(), both, both, "Member", hidden) with { IsStranger = true },
            await Person("the administrator of Alpha", alpha.Admin, [alpha, beta], [alpha, beta], alpha.Mark, []),
            await Person("a teacher of Alpha", alpha.Teacher, [alpha, beta], [alpha, beta], alpha.Mark, [alpha.Secret]),
            await Person("the administrator of Beta", beta.Admin, both, both, "Beta", hidden) with { IsStranger = true },
            await Person("a teacher of Beta", beta.Teacher, both, both, "Beta", hidden) with { IsStranger = true },
            await Person("a moderator", await world.NewPerson(platformRole: "moderator"), all, all, "Moderator", [alpha.Secret]),
            await Person("the platform's administrator", Cast.Super, all, [spare], "Super", [alpha.Secret]),
            await Key("a key for mail", [alpha, beta], hidden, "operations.read"),
            await Key("a key for accounts", [alpha, beta], hidden, "identity.read") with { Entitled = "/api/users" },
            await Key("a key for the network", [spare], [alpha.Secret], "tenancy.read", "tenancy.manage"),
        ];

        async Task<FuzzCaller> Person(string name, string email, Owner[] reads, Owner[] writes, string mark, string[] hides) =>
            new(name, email, await world.Token(email), reads, writes, mark, hides);

        async Task<FuzzCaller> Key(string name, Owner[] writes, string[] hides, params string[] permissions) =>
            new(name, null, await Secret(name, permissions), all, writes, "Key", hides);

        async Task<string> Secret(string name, string[] permissions) =>
            (await super.Ask(HttpMethod.Post, "/api/api-keys", new { name, permissions }).Json()).Text("secret");
    }
}
