using Microsoft.Extensions.Configuration;
using Sankore.Platform.Data;
using Sankore.Platform.Mail;

namespace Sankore.Tests.Platform;

/// <summary>Wrong settings are named at the start, in one sentence.</summary>
public sealed class MailSettingsTests
{
    [Theory]
    [InlineData("From", "From=nobody")]
    [InlineData("Smtp:Host", "Smtp:Port=25")]
    [InlineData("Smtp:Port", "Smtp:Host=h", "Smtp:Port=many")]
    [InlineData("Smtp:Port", "Smtp:Host=h", "Smtp:Port=70000")]
    [InlineData("Smtp:Security", "Smtp:Host=h", "Smtp:Security=ssl")]
    [InlineData("Smtp:User", "Smtp:Host=h", "Smtp:Password=secret")]
    [InlineData("Smtp:Password", "Smtp:Host=h", "Smtp:User=me")]
    [InlineData("Smtp:Connections", "Smtp:Host=h", "Smtp:Connections=0")]
    [InlineData("Smtp:PerMinute", "Smtp:Host=h", "Smtp:PerMinute=-1")]
    [InlineData("Smtp:CaFile", "Smtp:Host=h", "Smtp:CaFile=/nowhere.pem")]
    [InlineData("Smtp:Host", "Smtp:OAuth:ClientId=c")]
    [InlineData("Smtp:User", "Smtp:Host=h", "Smtp:OAuth:Provider=google", "Smtp:OAuth:ClientId=c", "Smtp:OAuth:RefreshToken=secret")]
    [InlineData(
        "Smtp:Password", "Smtp:Host=h", "Smtp:User=me", "Smtp:Password=secret", "Smtp:OAuth:Provider=google", "Smtp:OAuth:ClientId=c",
        "Smtp:OAuth:RefreshToken=secret")]
    [InlineData("Smtp:OAuth:ClientId", "Smtp:Host=h", "Smtp:User=me", "Smtp:OAuth:ClientSecret=secret")]
    [InlineData(
        "Smtp:OAuth:Provider", "Smtp:Host=h", "Smtp:User=me", "Smtp:OAuth:Provider=yahoo", "Smtp:OAuth:ClientId=c",
        "Smtp:OAuth:ClientSecret=secret")]
    [InlineData(
        "Smtp:OAuth:RefreshToken", "Smtp:Host=h", "Smtp:User=me", "Smtp:OAuth:Provider=google", "Smtp:OAuth:ClientId=c",
        "Smtp:OAuth:ClientSecret=secret")]
    [InlineData(
        "Smtp:OAuth:ClientSecret", "Smtp:Host=h", "Smtp:User=me", "Smtp:OAuth:Provider=microsoft", "Smtp:OAuth:Tenant=t.org",
        "Smtp:OAuth:ClientId=c")]
    [InlineData(
        "Smtp:OAuth:Tenant", "Smtp:Host=h", "Smtp:User=me", "Smtp:OAuth:Provider=microsoft", "Smtp:OAuth:Tenant=a/b",
        "Smtp:OAuth:ClientId=c", "Smtp:OAuth:ClientSecret=secret")]
    [InlineData(
        "Smtp:OAuth:Endpoint", "Smtp:Host=h", "Smtp:User=me", "Smtp:OAuth:Endpoint=http://id.example.org/", "Smtp:OAuth:ClientId=c",
        "Smtp:OAuth:ClientSecret=secret")]
    [InlineData("Dkim", "Dkim:Domain=example.org")]
    [InlineData("Dkim:Domain", "Dkim:Domain=no such; thing", "Dkim:Selector=s", "Dkim:KeyFile=/nowhere.pem")]
    [InlineData("Dkim:KeyFile", "Dkim:Domain=example.org", "Dkim:Selector=s", "Dkim:KeyFile=/nowhere.pem")]
    public void A_wrong_setting_is_named(string named, params string[] settings)
    {
        var sentence = Should.Throw<OperatorException>(() => Read(settings)).Message;
        sentence.ShouldStartWith($"Sankore:Mail:{named} ");
        sentence.ShouldEndWith(".");
        sentence[$"Sankore:Mail:{named}".Length..].ShouldNotContain("secret");
        sentence.ShouldNotContain("\n");
    }

    [Fact]
    public void Without_settings_mail_goes_to_the_outbox()
    {
        var options = Read();
        options.Smtp.ShouldBeNull();
        options.Signer.ShouldBeNull();
        options.From.ToString().ShouldBe("Sankore <no-reply@sankore.test>");
    }

    [Theory]
    [InlineData(null, SmtpSecurity.StartTls, 587)]
    [InlineData("StartTls", SmtpSecurity.StartTls, 587)]
    [InlineData("tls", SmtpSecurity.Tls, 465)]
    [InlineData("none", SmtpSecurity.None, 25)]
    public void The_port_is_that_of_the_protection(string? given, SmtpSecurity security, int port)
    {
        var smtp = Read(
            "Smtp:Host=mail.example.org", $"Smtp:Security={given}", "Smtp:User=me", "Smtp:Password= with spaces ",
            "Smtp:PerDomainPerMinute=30").Smtp!;
        (smtp.Host, smtp.Security, smtp.Port, smtp.Password, smtp.Connections, smtp.PerMinute, smtp.PerDomainPerMinute)
            .ShouldBe(("mail.example.org", security, port, " with spaces ", 8, 0, 30));
        smtp.ToString().ShouldNotContain("with spaces");
    }

    [Theory]
    [InlineData("google", null, "refresh", "https://oauth2.googleapis.com/token", null)]
    [InlineData(
        "microsoft", "contoso.onmicrosoft.com", null, "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
        "https://outlook.office365.com/.default")]
    [InlineData(
        "Microsoft", "0e8f1b2c-1111-2222-3333-444455556666", "refresh",
        "https://login.microsoftonline.com/0e8f1b2c-1111-2222-3333-444455556666/oauth2/v2.0/token",
        "https://outlook.office.com/SMTP.Send offline_access")]
    public void A_provider_stands_for_its_endpoint_and_scope(
        string provider, string? tenant, string? refresh, string endpoint, string? scope)
    {
        var smtp = Read(
            "Smtp:Host=h", "Smtp:User=me@example.org", $"Smtp:OAuth:Provider={provider}", $"Smtp:OAuth:Tenant={tenant}",
            "Smtp:OAuth:ClientId=c", "Smtp:OAuth:ClientSecret=secret", $"Smtp:OAuth:RefreshToken={refresh}").Smtp!;
        (smtp.OAuth!.Endpoint, smtp.OAuth.Scope, smtp.OAuth.RefreshToken, smtp.Password)
            .ShouldBe((new Uri(endpoint), scope, refresh, null));
    }

    private static MailOptions Read(params string[] settings) =>
        MailOptions.Read(
            new ConfigurationBuilder()
            .AddInMemoryCollection(
                settings.Select(s => s.Split('=', 2)).Select(s => KeyValuePair.Create($"Sankore:Mail:{s[0]}", (string?)s[1]))).Build(),
            "outbox");
}
