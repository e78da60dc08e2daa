using System.Collections.Concurrent;

namespace Sankore.Tests.Fuzz;

/// <summary>Walks the document with requests that a seed decides.</summary>
/// <param name="stage">Where.</param>
/// <param name="seed">Of the requests.</param>
/// <param name="routes">How the addresses begin that are asked.</param>
internal sealed class Fuzzer(Stage stage, int seed, string routes = "/")
{
    private const int AtOnce = 4, MoreForms = 8, WorstValues = 3;

    private readonly Random _random = new(seed);
    private readonly ConcurrentBag<Violation> _violations = [];

    private int _asked;

    /// <summary>What answers broke.</summary>
    public IReadOnlyCollection<Violation> Violations => _violations;

    private IEnumerable<Operation> Operations => stage.Document.Operations
        .Where(o => o.Route.StartsWith(routes, StringComparison.Ordinal)).OrderBy(o => o.Method == "DELETE");

    /// <summary>
    /// Asks every operation for what is right, as everybody; then as somebody who is let in, with one wrong value at each place; then as
    /// anybody with wrong values everywhere. What deletes comes last, so that there is something to ask for until then.
    /// </summary>
    /// <param name="values">How many wrong values of each place.</param>
    /// <param name="rounds">How many requests that are wrong everywhere.</param>
    public async Task Noise(int values, int rounds)
    {
        var right = await Ask([.. from o in Operations where o.Method != "DELETE" from c in stage.Callers select Right(o, c)]);
        var admitted = right.Where(r => r.Answer.Status is not (401 or 403)).ToList();
        var refused = admitted.GroupBy(r => r.Form.Operation).Where(g => g.All(r => r.Answer.Status >= 300)).SelectMany(g => g);
        var again = from r in refused from _ in Enumerable.Range(0, MoreForms) select Right(r.Form.Operation, r.Form.Caller);
        var best =
            from r in admitted.Concat(await Ask([.. again]))
            group r by r.Form.Operation into answered
            orderby answered.Key.Route, answered.Key.Method
            select answered.MinBy(r => (r.Answer.Status / 100, r.Answer.Status == 404, r.Form.Seed)).Form;
        await Ask([.. best.SelectMany(form => WithOneWrong(form, values))]);
        await Ask([.. from o in Operations from _ in Enumerable.Range(0, rounds) select WithManyWrong(o, _random.Pick(stage.Callers))]);
    }

    /// <summary>
    /// Asks as strangers for an id of the first group and for one that never was: the answers are the same, whether the id stands in the
    /// path, the query or the body, and all others are the stranger's own.
    /// </summary>
    public async Task Silence(int rounds)
    {
        var questions =
            from operation in Operations
            where operation.Parameters.Any(p => p.IsInPath)
            from caller in stage.Callers
            where caller.IsStranger
            from _ in Enumerable.Range(0, rounds)
            from question in Questions(new Form(operation, caller, _random.Next()))
            where question.Foreign.Request != question.Unknown.Request
            select question;
        var suspects = new ConcurrentBag<(Question, Question)>();
        await Each([.. questions], async question =>
        {
            if (await Told(question.Foreign, question.Unknown) is not null)
            {
                suspects.Add(question);
            }
        });
        foreach (var (foreign, unknown) in suspects)
        {
            // Now that nobody else changes anything.
            if (await Told(foreign, unknown) is { } violation)
            {
                _violations.Add(violation);
            }
        }
    }

    private async Task<Violation?> Told(Question foreign, Question unknown)
    {
        // What a question changes it changes the first time.
        await Ask(unknown);
        var (answer, expected) = (await Ask(foreign), Judge.Silent(await Ask(unknown)));
        return Judge.Silent(answer) == expected ? null
            : new Violation("a foreign id is told from one that never was", foreign.Form.Caller, foreign.Request, answer, expected);
    }

    private async Task<List<(Form Form, FuzzAnswer Answer)>> Ask(List<Question> questions)
    {
        var answers = new FuzzAnswer[questions.Count];
        await Each([.. questions.Index()], async question => answers[question.Index] = await Ask(question.Item));
        return [.. questions.Select(q => q.Form).Zip(answers)];
    }

    private async Task<FuzzAnswer> Ask(Question question)
    {
        var answer = await stage.Send(question.Form.Caller, question.Request);
        foreach (var violation in Judge.Judged(question.Form.Caller, question.Request, answer))
        {
            _violations.Add(violation);
        }
        return answer;
    }

    private static Task Each<T>(List<T> all, Func<T, Task> act) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (one, _) => await act(one));

    private Question Right(Operation operation, FuzzCaller caller)
    {
        var form = new Form(operation, caller, _random.Next());
        return Make(form, Mischief.None());
    }

    private IEnumerable<Question> WithOneWrong(Form form, int values)
    {
        var counted = Mischief.None();
        Make(form, counted);
        for (var place = 0; place < counted.Places; place++)
        {
            var looked = Mischief.One(place, 0);
            Make(form, looked);
            var more = Enumerable.Range(0, looked.Choices).Skip(WorstValues).OrderBy(_ => _random.Next()).Take(values - WorstValues);
            foreach (var choice in Enumerable.Range(0, Math.Min(WorstValues, looked.Choices)).Concat(more.ToList()))
            {
                yield return Make(form, Mischief.One(place, choice));
            }
        }
    }

    private Question WithManyWrong(Operation operation, FuzzCaller caller) =>
        Make(new Form(operation, caller, _random.Next()), Mischief.Many(_random, _random.Pick([0.03, 0.1, 0.4])), any: true);

    private Question Make(Form form, Mischief mischief, bool any = false)
    {
        var owners = form.Operation.Method == "GET" ? form.Caller.Reads : form.Caller.Writes;
        var requests = new Requests(form.Seed, stage.Document, IdOf, mischief, $"{form.Caller.Mark}{_asked++}");
        return new Question(form, requests.Of(form.Operation));

        string IdOf(string noun) => (any ? _random.Next(10) : 9) switch
        {
            0 => _random.NoId(),
            1 => _random.Pick([.. _random.Pick(owners).Ids.All]),
            2 => _random.Pick(owners).Ids.Of(noun, _random) ?? _random.NoId(),
            _ => owners[0].Ids.Of(noun, _random) ?? _random.NoId(),
        };
    }

    private IEnumerable<(Question Foreign, Question Unknown)> Questions(Form form)
    {
        var nouns = new List<string>();
        Ask((_, noun) =>
        {
            nouns.Add(noun);
            return $"{Guid.Empty}";
        });
        var inPath = form.Operation.Parameters.Count(p => p.IsInPath && stage.Document.Resolve(p.Schema).Shape == "uuid");
        int[][] choices = [.. Enumerable.Range(0, nouns.Count).Select(place => (int[])[place]), [.. Enumerable.Range(0, inPath)]];
        foreach (var places in choices
            .Where(places => places.All(place => Of(stage.Alpha, nouns[place]) is not null && !IsOfThePlatform(nouns[place]))))
        {
            var nothing = _random.NoId();
            yield return (
                Ask((place, noun) => Of(places.Contains(place) ? stage.Alpha : stage.Beta, noun) ?? nothing),
                Ask((place, noun) => places.Contains(place) ? nothing : Of(stage.Beta, noun) ?? nothing));
        }

        // A module is nobody's: that a plan does not have it is said in the document's own words (MODULE_NOT_IN_PLAN).
        static bool IsOfThePlatform(string noun) => noun.Contains("module", StringComparison.OrdinalIgnoreCase)
            || noun.Contains("categor", StringComparison.OrdinalIgnoreCase);

        string? Of(Owner owner, string noun) => owner.Ids.Of(noun, new Random(form.Seed));

        Question Ask(Func<int, string, string> idOf)
        {
            var place = 0;
            var requests = new Requests(form.Seed, stage.Document, noun => idOf(place++, noun), Mischief.None(), form.Caller.Mark);
            return new Question(form, requests.Of(form.Operation));
        }
    }

    /// <summary>What is asked by whom, but for what is wrong in it.</summary>
    private sealed record Form(Operation Operation, FuzzCaller Caller, int Seed);

    private sealed record Question(Form Form, FuzzRequest Request);
}
