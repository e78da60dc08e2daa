using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sankore.Platform.Live;

namespace Sankore.Tests.Support;

/// <summary>Changes that the members of a plan are told, made as the superuser or through the API.</summary>
public static class LiveWorld
{
    /// <summary>A module that some plans include, made before anybody listens.</summary>
    public static async Task<JsonElement> Included(this World world, params string[] plans)
    {
        using var admin = await world.As(Cast.Super);
        var module = await admin.NewModule();
        await world.Execute(
            "insert into tenancy.plan_modules (id, plan_id, module_id) select gen_random_uuid(), id, @module"
            + " from tenancy.subscription_plans where slug = any(@plans)",
            new { module = module.Id(), plans });
        await world.AssignToEverybody(module);
        await world.Heard();
        return module;
    }

    /// <summary>Assigns a module to everybody who has a place in a school.</summary>
    public static Task<int> AssignToEverybody(this World world, JsonElement module) =>
        world.Execute(
            "insert into tenancy.user_module_permissions (user_id, school_group_id, module_id) select distinct user_id, school_group_id, "
            + "@id from tenancy.memberships where school_id is not null on conflict do nothing",
            new { id = module.Id() });

    /// <summary>Waits until the node has read all that happened so far: whoever listens from now on is not told of it.</summary>
    public static async Task Heard(this World world)
    {
        var position = await world.Position();
        await Waiting.Until(() => world.App.Services.GetRequiredService<LiveHub>().Position >= position, "the node has read the log");
    }

    /// <summary>Makes modules that everybody with the category hears of, in one transaction: WORD-1 "WORD 00001", and so on.</summary>
    public static Task<int> InsertModules(this World world, string word, int count, string description = "") => world.Execute("""
        insert into tenancy.modules (id, code, name, description, category_id)
        select gen_random_uuid(), @word || '-' || n, @word || ' ' || lpad(n::text, 5, '0'), @description,
          (select id from tenancy.business_categories where slug = 'scolarite')
        from generate_series(1, @count) n
        """, new { word, count, description });

    /// <summary>Names a module anew, whoever looks.</summary>
    public static Task<int> Rename(this World world, JsonElement module, string name) =>
        world.Execute("update tenancy.modules set name = @name where id = @id", new { name, id = module.Id() });

    /// <summary>The position of the log: everything up to it has been committed.</summary>
    public static Task<long> Position(this World world) => world.Sql<long>("select live.position()");

    /// <summary>The names that a stream was told of one module, in order.</summary>
    public static IReadOnlyList<string> NamesOf(this LiveClient client, JsonElement module) =>
        [.. client.Events.Where(e => e.Type == "change" && e.RowId == module.Id()).Select(e => e.Row.Text("name"))];

    /// <summary>
    /// The states of one row as a stream was told them: in order, the last one surely, those between unless a later one was told with them.
    /// </summary>
    public static void ShouldEndIn(this IReadOnlyList<string> told, params string[] states)
    {
        told[^1].ShouldBe(states[^1]);
        told.ShouldBe(states.Where(told.Contains));
    }

    /// <summary>Waits until a stream was told a name of a module.</summary>
    public static Task Hears(this LiveClient client, JsonElement module, string name) =>
        Waiting.Until(() => client.NamesOf(module).Contains(name), $"the stream tells of {name}");
}
