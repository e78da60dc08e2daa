using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.ResponseCompression;
using Npgsql;
using Sankore.Campaigns;
using Sankore.Identity;
using Sankore.Operations;
using Sankore.Platform;
using Sankore.Platform.Data;
using Sankore.Platform.Jobs;
using Sankore.Platform.Live;
using Sankore.Platform.Mail;
using Sankore.Platform.Security;
using Sankore.Platform.Text;
using Sankore.Platform.Web;
using Sankore.Rbac;
using Sankore.Tenancy;
using Sankore.Ui;

namespace Sankore;

/// <summary>Puts the server together from its modules. The database must be ready (see <see cref="DatabaseSetup"/>).</summary>
public static class SankoreApp
{
    private const long MaxRequestBytes = 1024 * 1024;

    /// <summary>The modules, each below those after it.</summary>
    public static readonly IReadOnlyList<SankoreModule> Modules =
        [new PlatformModule(), new UiModule(), new IdentityModule(), new RbacModule(), new TenancyModule(), new CampaignsModule(),
            new OperationsModule()];

    static SankoreApp()
    {
        Mapping.Register();
    }

    /// <summary>Makes roles, database and schema ready for these modules (<see cref="DatabaseSetup.Prepare"/>).</summary>
    public static Task<string> PrepareDatabase(string connectionString, Action<string> say, CancellationToken ct) =>
        DatabaseSetup.Prepare(connectionString, [.. Modules.Select(m => m.Name)], say, ct);

    /// <summary>Builds the server.</summary>
    /// <param name="builder">Configuration and hosting.</param>
    /// <param name="database">The program's connection string, from <see cref="PrepareDatabase"/>.</param>
    /// <param name="dataFolder">Where files go (the outbox).</param>
    public static WebApplication Build(WebApplicationBuilder builder, string database, string dataFolder)
    {
        var configuration = builder.Configuration;
        var services = builder.Services;
        AddKestrel(builder);
        AddPlatform(services, configuration, database);
        AddMail(services, MailOptions.Read(configuration, Directory.CreateDirectory(Path.Combine(dataFolder, "outbox")).FullName));
        AddAuthorization(services);
        AddWeb(services, configuration);
        foreach (var module in Modules)
        {
            module.Services(services, configuration);
        }
        var app = builder.Build();
        if (app.Services.GetRequiredService<MailOptions>().Signer is { } signer)
        {
            app.Logger.MailIsSigned(signer.Record);
        }
        Pipeline(app);
        return app;
    }

    private static void AddKestrel(WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(o =>
        {
            o.AddServerHeader = false;
            o.Limits.MaxRequestBodySize = MaxRequestBytes;
            o.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            o.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            o.Limits.MaxConcurrentConnections = null;
        });
        builder.Services.AddSingleton<IConnectionListenerFactory, LiveTransport>();
    }

    private static void AddPlatform(IServiceCollection services, ConfigurationManager configuration, string database)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(_ => new NpgsqlDataSourceBuilder(database).Build());
        services.AddSingleton(Modules.AsEnumerable());
        services.AddSingleton<ReasonBook>().AddSingleton<Db>().AddSingleton<RightsCache>().AddSingleton<Problems>();
        services.AddSingleton(configuration.GetSection("Sankore:Live").Get<LiveLimits>() ?? new LiveLimits());
        services.AddSingleton<LiveGate>().AddSingleton<LiveMeters>().AddSingleton<LiveHub>().AddSingleton<ChangeLog>()
            .AddHostedService(sp => sp.GetRequiredService<ChangeLog>());
        services.AddSingleton<LiveReporter>().AddHostedService(sp => sp.GetRequiredService<LiveReporter>());
        services.AddSingleton(new JobLease(TimeSpan.FromSeconds(configuration.GetValue("Sankore:Jobs:LeaseSeconds", 30))));
        services.AddSingleton<JobWorker>().AddHostedService(sp => sp.GetRequiredService<JobWorker>()).AddHostedService<Recurring>();
    }

    private static void AddAuthorization(IServiceCollection services)
    {
        services.AddHttpContextAccessor();
        services.AddScoped(sp => sp.GetRequiredService<IHttpContextAccessor>().HttpContext?.Caller() ?? Caller.Anonymous);
        services.AddSingleton<IAuthorizationHandler, PermissionHandler>();
        services.AddSingleton<IAuthorizationHandler, ForPeopleHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusedAuthorization>();
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    private static void AddWeb(IServiceCollection services, ConfigurationManager configuration)
    {
        services.AddLocalization();
        services.AddProblemDetails();
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "sankore-form";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        AddCompression(services);
        services.AddRateLimiter(o => SignInLimit(o, configuration));
        services.AddRequestTimeouts(o => o.DefaultPolicy = new() { Timeout = TimeSpan.FromSeconds(30) });
        services.AddOwnHosts(configuration);
        services.AddHsts(o => o.MaxAge = TimeSpan.FromDays(365));
        services.AddOpenApi(o => o.AddSchemaTransformer(MomentSchema.Describe));
        services.AddRazorComponents(o => o.MaxFormMappingErrorCount = 50);
        services.AddScoped<Shell>();
        services.AddScoped<Home>();
        services.AddScoped<Search>();
        services.Configure<ForwardedHeadersOptions>(o => TrustProxies(o, configuration));
        services.AddSingleton(new AppAddress(
            new Uri(configuration["Sankore:PublicUrl"] ?? (configuration["urls"] ?? "http://127.0.0.1:5080").Split(';')[0])));
        services.ConfigureHttpJsonOptions(
            o =>
            {
                o.SerializerOptions.UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip;
                // The kind of a block may be said after what is in it.
                o.SerializerOptions.AllowOutOfOrderMetadataProperties = true;
            });
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
    }

    private static void AddCompression(IServiceCollection services)
    {
        services.AddResponseCompression(o =>
        {
            // Forms carry a masked token of their own, new with each answer, so compression gives nothing away.
            o.EnableForHttps = true;
            o.MimeTypes = [
                "text/html", "text/css", "text/javascript", "application/javascript", "application/json", "application/problem+json",
                "image/svg+xml"];
        });
        services.Configure<BrotliCompressionProviderOptions>(o => o.Level = System.IO.Compression.CompressionLevel.Fastest);
    }

    private static void AddMail(IServiceCollection services, MailOptions options)
    {
        services.AddSingleton(options);
        if (options.Smtp is { } smtp)
        {
            services.AddSingleton(sp => new SmtpPool(smtp, sp.GetRequiredService<TimeProvider>()));
        }
        services.AddSingleton<IJobHandler>(sp => new MailJob(
            options, sp.GetService<SmtpPool>(), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<MailJob>>()));
    }

    private static void Pipeline(WebApplication app)
    {
        app.UseForwardedHeaders();
        app.UseSecurityHeaders();
        app.UseRequestLocalization(Languages());
        app.UseResponseCompression();
        app.UseStatusCodePagesWithReExecute("/error/{0}", createScopeForStatusCodePages: true);
        app.Use(ReadErrorPage);
        app.Use((context, next) => app.Services.GetRequiredService<Problems>().Catch(context, _ => next(context)));
        app.UseLiveGate();
        if (!app.Environment.IsDevelopment())
        {
            app.UseHsts();
        }
        app.UseRouting();
        app.UseRequestTimeouts();
        app.UseAuthentication();
        app.UseCaller();
        app.UseOwnOrigin();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.UseRequiredModules();
        app.UseAntiforgery();
        app.Use(ReadShell);
        app.MapStaticAssets().AllowAnonymous();
        app.MapOpenApi().AllowAnonymous();
        app.MapLive();
        foreach (var module in Modules)
        {
            module.Routes(app);
        }
        app.MapRazorComponents<App>();
    }

    /// <summary>The error page is read, whatever was refused: a form without its token must not be refused a second time.</summary>
    private static Task ReadErrorPage(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Microsoft.AspNetCore.Diagnostics.IStatusCodeReExecuteFeature>() is not null)
        {
            (context.Request.Method, context.Request.ContentType, context.Request.ContentLength) = (HttpMethods.Get, null, null);
        }
        return next(context);
    }

    /// <summary>Before a page of a person reads its rows, its shell is read, and with it the position of the log.</summary>
    private static async Task ReadShell(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<ComponentTypeMetadata>() is not null
            && context.Caller() is { UserId: not null } caller)
        {
            var load = context.RequestServices.GetRequiredService<LoadShell>();
            context.RequestServices.GetRequiredService<Shell>().Set(await load(caller, context.RequestAborted));
        }
        await next(context);
    }

    private static RequestLocalizationOptions Languages()
    {
        var options = new RequestLocalizationOptions { ApplyCurrentCultureToResponseHeaders = true }
            .SetDefaultCulture("fr").AddSupportedCultures("fr", "en").AddSupportedUICultures("fr", "en");
        options.RequestCultureProviders = [new CookieRequestCultureProvider(), new AcceptLanguageHeaderRequestCultureProvider()];
        return options;
    }

    /// <summary>
    /// Everything that takes a password: so many attempts a minute and address. A school's people share one address, so it is generous; the
    /// account's own lock is Identity's.
    /// </summary>
    private static void SignInLimit(RateLimiterOptions options, ConfigurationManager configuration)
    {
        var perMinute = configuration.GetValue("Sankore:SignIn:PerAddressPerMinute", 60);
        options.RejectionStatusCode = 429;
        options.OnRejected = (context, _) =>
        {
            context.HttpContext.Response.Headers.RetryAfter = "60";
            return ValueTask.CompletedTask;
        };
        options.AddPolicy(IdentityModule.SignInLimit, context => HttpMethods.IsGet(context.Request.Method)
            ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetSlidingWindowLimiter(
                context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new SlidingWindowRateLimiterOptions
                {
                    PermitLimit = perMinute,
                    Window = TimeSpan.FromMinutes(1),
                    SegmentsPerWindow = 6,
                }));
    }

    /// <summary>Forwarded headers count only from the proxies that the operator names (<c>Sankore:Proxies</c>).</summary>
    private static void TrustProxies(ForwardedHeadersOptions options, ConfigurationManager configuration)
    {
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        var proxies = (configuration["Sankore:Proxies"] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        if (proxies.Length == 0)
        {
            options.ForwardedHeaders = ForwardedHeaders.None;
            return;
        }
        // What a proxy passes on of a host counts if it is one of ours.
        options.AllowedHosts = [.. OwnOrigin.HostsOf(configuration).Where(h => h != "*")];
        options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
        foreach (var proxy in proxies)
        {
            if (proxy.Contains('/', StringComparison.Ordinal))
            {
                options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
            }
            else
            {
                options.KnownProxies.Add(System.Net.IPAddress.Parse(proxy));
            }
        }
    }
}
