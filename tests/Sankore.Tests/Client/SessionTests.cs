using Sankore.Client;
using Sankore.Identity;

namespace Sankore.Tests.Client;

/// <summary>A session that keeps itself alive.</summary>
public sealed class SessionTests(World world) : IClassFixture<World>
{
    private readonly FakeTime _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_signs_in_once_and_renews_its_token_before_it_expires()
    {
        var asked = new Asked();
        using var http = new HttpClient(asked) { BaseAddress = world.Address };
        using var session = new SankoreSession(http, Cast.HeadOnPremium, PasswordRules.Demo, _time);
        var all = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => session.Token(ct: Token).AsTask()));
        all.Distinct().ShouldHaveSingleItem();
        _time.Advance(TimeSpan.FromMinutes(53));
        (await session.Token(ct: Token)).ShouldBe(all[0]);
        _time.Advance(TimeSpan.FromMinutes(2));
        var second = await session.Token(ct: Token);
        second.ShouldNotBe(all[0]);
        asked.Paths.ShouldBe(["/api/auth/login", "/api/auth/refresh"]);
        http.DefaultRequestHeaders.Authorization = new("Bearer", second);
        (await http.Ask(HttpMethod.Get, "/api/me").Json()).Text("email").ShouldBe(Cast.HeadOnPremium);
    }

    [Fact]
    public async Task A_token_that_was_refused_is_not_given_again()
    {
        using var http = world.Nobody();
        using var session = new SankoreSession(http, Cast.HeadOnPremium, PasswordRules.Demo);
        var first = await session.Token(ct: Token);
        var second = await session.Token(first, Token);
        second.ShouldNotBe(first);
        (await session.Token(first, Token)).ShouldBe(second, "somebody else had it renewed already");
    }

    [Fact]
    public async Task A_session_that_cannot_be_renewed_signs_in_again()
    {
        var asked = new Asked();
        using var http = new HttpClient(asked) { BaseAddress = world.Address };
        using var session = new SankoreSession(http, Cast.HeadOnEssentiel, PasswordRules.Demo);
        var first = await session.Token(ct: Token);
        await world.Execute("update auth.users set security_stamp = 'another' where email = @email", new { email = Cast.HeadOnEssentiel });
        (await session.Token(first, Token)).ShouldNotBe(first);
        asked.Paths.ShouldBe(["/api/auth/login", "/api/auth/refresh", "/api/auth/login"]);
    }

    [Fact]
    public async Task A_wrong_password_is_a_refusal_with_its_code()
    {
        using var http = world.Nobody();
        using var session = new SankoreSession(http, Cast.HeadOnGratuit, "not the password");
        var refusal = await Should.ThrowAsync<RefusedException>(async () => await session.Token(ct: Token));
        ((int)refusal.Status, refusal.Code).ShouldBe((401, "INVALID_CREDENTIALS"));
        await using var reader = FeedReader.Of(world.Address, session.Token);
        (await Should.ThrowAsync<RefusedException>(() => reader.Ended)).Code.ShouldBe("INVALID_CREDENTIALS");
    }

    [Fact]
    public async Task Too_many_sign_ins_are_waited_for_as_long_as_the_server_asks()
    {
        await using var stub = await SseStub.Start(SseStub.Answers(429, "60"));
        using var http = new HttpClient { BaseAddress = stub.Address };
        using var session = new SankoreSession(http, Cast.Super, PasswordRules.Demo);
        await using var reader = FeedReader.Of(stub.Address, session.Token, time: _time);
        await reader.Loses(1);
        reader.Losses[0].RetryIn.ShouldBeInRange(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(61));
    }

    /// <summary>Writes down what is asked for.</summary>
    private sealed class Asked() : DelegatingHandler(new SocketsHttpHandler())
    {
        private readonly List<string> _paths = [];

        public IReadOnlyList<string> Paths { get { lock (_paths) { return [.. _paths]; } } }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            lock (_paths)
            {
                _paths.Add(request.RequestUri!.AbsolutePath);
            }
            return base.SendAsync(request, cancellationToken);
        }
    }
}
