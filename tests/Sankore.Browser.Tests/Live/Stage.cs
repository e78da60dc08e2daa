namespace Sankore.Browser.Tests.Live;

/// <summary>Three people at three browsers: the administrator, a head whose plan has the Finances, a head whose plan does not.</summary>
public sealed class Stage : IAsyncDisposable
{
    private const string OfAside = "« Gestion des inscriptions »";

    private readonly World _world;
    private int _asides;
    private string _before = "";

    private Stage(World world, Person admin, Person head, Person outsider, IPage plan) =>
        (_world, Admin, Head, Outsider, Plan) = (world, admin, head, outsider, plan);

    /// <summary>super@ on /admin/modules (or wherever the test says), live.</summary>
    public Person Admin { get; }

    /// <summary>head.s0001@ on their home page.</summary>
    public Person Head { get; }

    /// <summary>head.s0003@ on their home page.</summary>
    public Person Outsider { get; }

    /// <summary>head.s0001@'s second tab, on /plan.</summary>
    public IPage Plan { get; }

    public static async Task<Stage> Set(World world, Chrome chrome, string list = "/admin/modules")
    {
        var admin = await chrome.Open(world.Address, Cast.Super);
        var head = await chrome.Open(world.Address, Cast.HeadOnPremium);
        var outsider = await chrome.Open(world.Address, Cast.HeadOnGratuit);
        await Task.WhenAll(admin.Watch(list), head.Watch("/"), outsider.Watch("/"));
        var stage = new Stage(world, admin, head, outsider, await head.Tab("/plan"));
        await Expect(stage.Plan.Locator(".live")).ToHaveAttributeAsync("data-state", "on");
        stage._before = await stage.WhatTheOutsiderSees();
        return stage;
    }

    /// <summary>The administrator saves a form in a tab of its own, through the pages.</summary>
    public async Task Save(string path, params (string Field, string Value)[] fields)
    {
        var page = await Admin.Tab(path);
        foreach (var (field, value) in fields)
        {
            await Set(page, field, value);
        }
        await page.ClickAsync("form.form .foot button.primary");
        var (done, sure) = (page.Locator(".flash.ok"), page.Locator("button[name=confirmed]"));
        await Expect(done.Or(sure)).ToBeVisibleAsync();
        if (await sure.IsVisibleAsync())
        {
            await sure.ClickAsync();
            await Expect(done).ToBeVisibleAsync();
        }
        await page.CloseAsync();
    }

    /// <summary>The administrator clicks a button of a form's head, e.g. « Désactiver », and confirms where asked.</summary>
    public async Task Click(string path, string button)
    {
        var page = await Admin.Tab(path);
        await page.Locator(".head .actions").GetByText(button, new LocatorGetByTextOptions { Exact = true }).ClickAsync();
        if (button.EndsWith('…'))
        {
            await page.ClickAsync("dialog[open] button.danger");
        }
        await Expect(page.Locator(".flash.ok")).ToBeVisibleAsync();
        await page.CloseAsync();
    }

    /// <summary>
    /// The head was shown one toast and not reloaded; the outsider saw and got nothing. What the outsider may know comes after it: what
    /// came before must have been all there was.
    /// </summary>
    public async Task EndsWithOneToast(string title)
    {
        (await Head.Toasts(1))[0].ShouldStartWith(title);
        await Aside();
        await Waiting.Until(
            async () =>
            (await Head.Toasts()).Any(t => t.Contains(OfAside, StringComparison.Ordinal)), "the head is told of what everybody is told");
        (await Head.Toasts()).Length.ShouldBe(2, string.Join(" / ", await Head.Toasts()));
        await Head.WasNotReloaded();
        await Admin.WasNotReloaded();
        await OutsiderSawNothing();
    }

    /// <summary>The outsider's page is as it was, and its stream brought nothing.</summary>
    public async Task OutsiderSawNothing()
    {
        await Aside();
        (await Outsider.Events()).Length.ShouldBe(_asides);
        (await WhatTheOutsiderSees()).ShouldBe(_before);
        await Outsider.WasNotReloaded();
    }

    public async ValueTask DisposeAsync()
    {
        await Admin.DisposeAsync();
        await Head.DisposeAsync();
        await Outsider.DisposeAsync();
    }

    private static Task Set(IPage page, string field, string value) => field switch
    {
        "categoryId" => page.SelectOptionAsync("#categoryId", new SelectOptionValue { Label = value }),
        "status" => page.SelectOptionAsync("#status", value),
        "isBuilt" => page.CheckAsync("input[name='Form.IsBuilt']"),
        "color" or "icon" => page.CheckAsync(
            $"input[name='Form.{char.ToUpperInvariant(field[0])}{field[1..]}'][value='{value}']", new PageCheckOptions { Force = true }),
        _ => page.FillAsync("#" + field, value),
    };

    /// <summary>A change that everybody is told of and nobody sees.</summary>
    private async Task Aside()
    {
        var aside = ++_asides;
        await _world.Execute("update tenancy.modules set sector = @aside::text where code = 'gestion-inscriptions'", new { aside });
        await Waiting.Until(async () => (await Outsider.Events()).Length >= aside, "the outsider is told of what everybody is told");
    }

    private Task<string> WhatTheOutsiderSees() =>
        Outsider.Page.EvaluateAsync<string>("document.querySelector('.side').innerText + document.querySelector('main').innerText");
}
