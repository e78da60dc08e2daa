// Prints what changes for a person, as it happens: docs/live.md.
using System.CommandLine;
using Sankore.Client;

var url = new Option<string>("--url") { Description = "Address of the server", DefaultValueFactory = _ => "http://127.0.0.1:5080" };
url.Validators.Add(option =>
{
    if (!Uri.TryCreate(option.GetValueOrDefault<string>(), UriKind.Absolute, out _))
    {
        option.AddError("--url is an address like http://127.0.0.1:5080");
    }
});
var email = new Option<string>("--email") { Description = "Whose changes", Required = true };
var password = new Option<string>(
    "--password")
{ Description = "Password of the account (or the variable SANKORE_PASSWORD, which other users of the machine do not see)" };
var cursor =
    new Option<string?>("--cursor") { Description = "File that keeps the position, so that the next start goes on where this one stopped" };
var root = new RootCommand("Prints what changes for a person of a Sankoré server, until Ctrl-C") { url, email, password, cursor };
root.SetAction((parsed, ct) => Follow(
    new Uri(parsed.GetValue(url)!), parsed.GetValue(email)!, parsed.GetValue(password)
    ?? Environment.GetEnvironmentVariable("SANKORE_PASSWORD") ?? "", parsed.GetValue(cursor), ct));
return await root.Parse(args).InvokeAsync();

static async Task<int> Follow(Uri url, string email, string password, string? cursor, CancellationToken ct)
{
    using var http = new HttpClient { BaseAddress = url };
    using var session = new SankoreSession(http, email, password);
    using var file = cursor is null ? null : new FileCursorStore(cursor);
    var feed = new LiveFeed(
        http, new LiveFeedOptions { Token = session.Token, Cursor = file ?? (ICursorStore)new MemoryCursorStore(), OnState = Tell });
    try
    {
        await foreach (var next in feed.Read(ct))
        {
            Console.WriteLine(next switch
            {
                Reset reset => $"{reset.Position} RESET: read everything again within {reset.Spread.TotalSeconds:0} s",
                RowChanged { IsTableOnly: true } change => $"{change.Position} {change.Table}: some of it changed",
                RowChanged change => $"{change.Position} {change.Op.ToString().ToUpperInvariant()} {change.Table} {change.Id} {change.Row}",
                _ => throw new InvalidOperationException($"there is no such event as {next}"),
            });
        }
    }
    catch (OperationCanceledException) when (ct.IsCancellationRequested)
    {
        // Ctrl-C.
    }
    catch (Exception e) when (
        e is RefusedException or MalformedEventException or InvalidDataException or IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync(e.Message);
        return 1;
    }
    return 0;
}

static void Tell(LiveState state) => Console.Error.WriteLine(state switch
{
    Connected { After: { } position } => $"connected, after {position}",
    Connected => "connected",
    Disconnected lost => $"not connected: {lost.Reason}; again in {lost.RetryIn.TotalSeconds:0.0} s",
    _ => throw new InvalidOperationException($"there is no such state as {state}"),
});
