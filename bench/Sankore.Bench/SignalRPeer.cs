using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sankore.Bench;

/// <summary>
/// <c>bench peer-signalr PORT</c>, started by the bench itself: SignalR as it comes, with JSON; each line of standard input goes to all
/// clients.
/// </summary>
internal static class SignalRPeer
{
    private sealed class Feed : Hub;

    public static async Task<int> Run(string port)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(o => o.ListenLocalhost(int.Parse(port, CultureInfo.InvariantCulture)));
        // The clients listen only; without this they would have to say every fifteen seconds that they are there.
        builder.Services.AddSignalR(o => o.ClientTimeoutInterval = TimeSpan.FromHours(1));
        await using var app = builder.Build();
        app.MapHub<Feed>("/hub");
        await app.StartAsync();
        var clients = app.Services.GetRequiredService<IHubContext<Feed>>().Clients;
        while (await Console.In.ReadLineAsync() is { } line)
        {
            await clients.All.SendAsync("change", JsonElement.Parse(line));
        }
        return 0;
    }
}
