using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Sankore.Identity;
using Sankore.Tenancy;

namespace Sankore.Tests.Guards;

/// <summary>No form of a module's pages does anything for somebody who may only read there, shown or not.</summary>
public sealed partial class ModulePageGuards(World world) : IClassFixture<World>
{
    /// <summary>Has the module's category to read, and nothing more.</summary>
    private const string Reader = "supervisor.s0004.1@sankore.test";

    /// <summary>One id for everything that the reader made while they still might write: whatever a page's id means, it is there.</summary>
    private static readonly Guid Id = Guid.CreateVersion7();

    /// <summary>Names of forms that a page computes.</summary>
    private static readonly Dictionary<string, string[]> Computed = new()
    {
        ["@act"] = ["send", "unschedule", "pause", "resume", "duplicate"],
        ["@($\"remove-{row.Id}\")"] = [$"remove-{Id}"],
        ["@($\"delete-{picture.Id}\")"] = [$"delete-{Id}"],
    };

    private sealed record Page(Type Type, string Path, IReadOnlyList<string> Forms);

    [Fact]
    public void Every_page_that_requires_a_module_is_a_module_page() =>
        Pages().Where(p => !p.Type.IsSubclassOf(typeof(ModulePage)) && p.Forms.Count > 0).Select(p => p.Type.Name).ShouldBeEmpty();

    [Fact]
    public void A_module_page_cannot_act_without_asking() =>
        typeof(ModulePage).GetMethod("Try", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(Func<Task<string?>>)])!
            .ShouldSatisfyAllConditions(m => m.DeclaringType.ShouldBe(typeof(ModulePage)), m => m.IsFinal.ShouldBeTrue());

    [Fact]
    public async Task Whoever_may_only_read_changes_nothing_by_any_form()
    {
        await MakeRows(Reader);
        using var browser = new Browser(world.Address);
        await browser.SignIn(Reader, PasswordRules.Demo);
        var before = await Rows();
        var forms = 0;
        foreach (var page in Pages())
        {
            foreach (var form in page.Forms)
            {
                using var answer = await Post(browser, page.Path, form);
                var refused = await answer.Body();
                ((int)answer.StatusCode).ShouldBeOneOf([200, 400, 403, 404], $"{page.Path} {form}: {answer.Headers.Location}");
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    WebUtility.HtmlDecode(refused).ShouldContain("n’est pas permis", customMessage: $"{page.Path} {form}");
                }
                forms++;
            }
        }
        (await Rows()).ShouldBe(before);
        forms.ShouldBeGreaterThan(20);
    }

    [Fact]
    public async Task A_form_of_somebody_who_may_write_is_noticed()
    {
        using var browser = new Browser(world.Address);
        await browser.SignIn(Cast.HeadOnPremium, PasswordRules.Demo);
        var before = await Rows();
        using var answer = await Post(browser, "/campaigns/organizations", "organization", ("Form.Name", Catalogue.Word()));
        answer.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await Rows()).ShouldNotBe(before);
    }

    private static async Task<HttpResponseMessage> Post(
        Browser browser, string path, string form, params (string Name, string Value)[] fields)
    {
        // Every page's layout has a form with the token.
        var (_, layout) = Browser.Form(await browser.Page("/"), "returnUrl");
        var body = fields.Append(("_handler", form)).Append(("__RequestVerificationToken", layout["__RequestVerificationToken"]!));
        return await browser.Client.Ask(
            HttpMethod.Post, path, new FormUrlEncodedContent(body.Select(f => KeyValuePair.Create(f.Item1, f.Item2))));
    }

    private List<Page> Pages() =>
    [
        .. from endpoint in ((IEndpointRouteBuilder)world.App).DataSources.SelectMany(d => d.Endpoints).OfType<RouteEndpoint>()
           let type = endpoint.Metadata.GetMetadata<ComponentTypeMetadata>()?.Type
           where type is not null && endpoint.Metadata.GetMetadata<RequireModuleAttribute>() is not null
           let path = "/" + Blank().Replace(endpoint.RoutePattern.RawText!.Trim('/'), Id.ToString())
           select new Page(type, path, FormsOf(type)),
    ];

    /// <summary>The forms that a page's source names.</summary>
    private static List<string> FormsOf(Type type)
    {
        var source = Directory.GetFiles(Repository.Source, type.Name + ".razor", SearchOption.AllDirectories).Single(f => Belongs(f, type));
        return [.. FormName().Matches(File.ReadAllText(source)).Select(m => m.Groups[1].Value + m.Groups[2].Value).SelectMany(Named)];
    }

    private static bool Belongs(string file, Type type) =>
        file.Contains(
            $"{Path.DirectorySeparatorChar}{type.Namespace!.Split('.')[1]}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    private static string[] Named(string name) =>
        !name.StartsWith('@') ? [name] : Computed.TryGetValue(name, out var names) ? names
            : throw new InvalidOperationException($"say in Computed what {name} can be");

    private async Task MakeRows(string email) => await world.Execute("""
        insert into campaigns.organizations (id, user_id, name) select @Id, id, 'Lycée' from auth.users where email = @email;
        insert into campaigns.contacts (id, user_id, email) select @Id, id, 'parent@exemple.cg' from auth.users where email = @email;
        insert into campaigns.segments (id, user_id, name, filter) select @Id, id, 'Parents', '{}' from auth.users where email = @email;
        insert into campaigns.suppressions (id, user_id, email, reason) select @Id, id, 'non@exemple.cg', 'manual' from auth.users
        where email = @email;
        insert into campaigns.email_templates (id, user_id, name, subject, content) select @Id, id, 'Rentrée', 'Objet', 'Texte'
        from auth.users where email = @email;
        insert into campaigns.email_campaigns (id, user_id, name, subject, content) select @Id, id, 'Rentrée', 'Objet', 'Texte'
        from auth.users where email = @email;
        insert into util.pictures (id, owner_id, kind, name, media_type, width, height, content, small, source)
        select @Id, id, 'message', 'cour.png', 'image/png', 1, 1, '', '', '' from auth.users where email = @email;
        """, new { Id, email });

    /// <summary>All rows of the module's tables and its jobs, as one text.</summary>
    private Task<string> Rows() => world.Sql<string>("""
        select string_agg(t
            || query_to_xml(format('select md5(string_agg(x::text, '','' order by x::text)) from %s x', t), true, false, '')::text, ''
            order by t)
        from (select format('%I.%I', schemaname, tablename) as t from pg_tables where schemaname = 'campaigns'
            union all select 'util.job_queue' union all select 'util.pictures') tables
        """);

    [GeneratedRegex(@"\{\w+:guid\}")]
    private static partial Regex Blank();

    [GeneratedRegex("""(?:<PostForm Name|<ConfirmDialog Id|@formname)="([^"@]+|@\(\$"[^"]*"\))?([^"]*)""")]
    private static partial Regex FormName();
}
