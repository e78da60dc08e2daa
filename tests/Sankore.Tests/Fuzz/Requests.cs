namespace Sankore.Tests.Fuzz;

/// <summary>Makes requests for an operation of the document.</summary>
/// <param name="seed">Decides what is left open: the same makes the same request but for ids and what is wrong.</param>
/// <param name="document">Knows the schemas.</param>
/// <param name="idOf">Gives an id of a noun.</param>
/// <param name="mischief">Says what is wrong.</param>
/// <param name="mark">Stands in texts.</param>
internal sealed class Requests(int seed, ApiDocument document, Func<string, string> idOf, Mischief mischief, string mark)
{
    private const int LongestBody = 1_000_000;

    // Not DELETE, which some address may know.
    private static readonly string[] Methods = ["PATCH", "POST", "PUT"];

    private static readonly string[] Forms =
    [
        "--b\r\nContent-Disposition: form-data; name=\"file\"; f", "--b\r\n", "", "--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\0b\"\r\n\r\nNom\nA\n\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\nNom\nA\n\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../é.csv\"\r\nContent-Type: x\r\n\r\nNom\nA\n\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"other\"; filename=\"f.csv\"\r\n\r\nNom\nA\n\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\nNom\nA\n\r\n", "--b\r\n\r\n\r\n--b--\r\n",
        $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{new string('n', 300)}.csv\"\r\n\r\nNom\nA\n\r\n--b--\r\n",
        $"--b\r\nX: {new string('y', 20_000)}\r\n\r\n\r\n--b--\r\n",
    ];

    private readonly Random _random = new(seed);

    /// <summary>A request.</summary>
    public FuzzRequest Of(Operation operation)
    {
        var target = Target(operation);
        var method = mischief.At(operation.Method, Methods);
        var version = operation.Method == "PUT" ? mischief.At(FuzzRequest.Current, Values.WrongVersions) : null;
        var (type, body) = operation.Method is "GET" or "DELETE" ? (null, null) : Body(operation);
        return new FuzzRequest(method, operation.Route, target, version, type, body?[..Math.Min(body.Length, LongestBody)]);
    }

    private string Target(Operation operation)
    {
        var path = operation.Parameters.Where(p => p.IsInPath)
            .Aggregate(operation.Route, (route, p) => route.Replace($"{{{p.Name}}}", InPath(p), StringComparison.Ordinal));
        var query = operation.Parameters.Where(p => !p.IsInPath).Select(p => InQuery(p, operation.Noun)).Where(part => part != "");
        return $"{path}?{string.Join('&', query)}".TrimEnd('?');
    }

    private string InPath(Parameter parameter)
    {
        var (shape, right) = Right(parameter, $"{parameter.Noun}/{{{parameter.Name}}}");
        // A path with a NUL is refused before any of our code hears of it.
        return mischief.At(right, Values.WrongInAddress(shape, right)).Replace("%00", "%01", StringComparison.Ordinal);
    }

    private string InQuery(Parameter parameter, string noun)
    {
        var (shape, right) = Right(parameter, $"{noun}?{parameter.Name}");
        return mischief.At(
            _random.Next(2) == 0 ? "" : $"{parameter.Name}={right}",
            [.. Values.WrongInAddress(shape, right).Append($"{right}&{parameter.Name}=x").Select(wrong => $"{parameter.Name}={wrong}")]);
    }

    private (string Shape, string Right) Right(Parameter parameter, string place)
    {
        var (shape, _) = document.Resolve(parameter.Schema);
        return (shape, Uri.EscapeDataString(shape switch
        {
            "uuid" => idOf(parameter.Noun),
            "integer" => $"{1 + _random.Next(2)}",
            "date-time" => _random.Moment(),
            "boolean" => _random.Next(2) == 0 ? "true" : "false",
            _ => _random.Text(place, parameter.Name, mark),
        }));
    }

    private (string? Type, string? Body) Body(Operation operation) => operation.BodyType switch
    {
        "application/json" => (
            mischief.At(operation.BodyType, Values.WrongTypes),
            mischief.At(new Bodies(_random, document, idOf, mischief, mark).Of(operation), Values.WrongBodies)),
        null => (
            mischief.At("application/octet-stream", Values.WrongTypes),
            mischief.At(_random.Next(2) == 0 ? "" : Sheet(), Values.Sheets)),
        _ => (
            mischief.At("multipart/form-data; boundary=b", Values.WrongTypes),
            mischief.At(Form(mischief.At(Sheet(), Values.Sheets)), Forms)),
    };

    private string Sheet() => $"Nom;E-mail\n{mark};{mark}{_random.Next(10_000)}@exemple.cg\n";

    private static string Form(string file) =>
        $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--b--\r\n";
}
