using System.Data;
using System.Text.Json;
using Dapper;
using Sankore.Platform.Security;

namespace Sankore.Platform.Data;

/// <summary>How values travel between records and PostgreSQL, beyond what Dapper does by itself.</summary>
internal static class Mapping
{
    /// <summary>Once per process.</summary>
    public static void Register()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.RemoveTypeMap(typeof(string));
        SqlMapper.AddTypeHandler(new TextHandler());
        SqlMapper.AddTypeHandler(new TextsHandler());
        SqlMapper.AddTypeHandler(new JsonHandler());
    }

    /// <summary>
    /// PostgreSQL's text has no NUL. The server would refuse it in the middle of a batch, and the driver lose its step on the connection,
    /// so it never gets there.
    /// </summary>
    private static string? Clean(string? text) =>
        text?.Contains('\0', StringComparison.Ordinal) == true ? throw new Refusal(Reason.BadRequest) : text;

    private sealed class TextHandler : SqlMapper.TypeHandler<string>
    {
        public override void SetValue(IDbDataParameter parameter, string? value) =>
            (parameter.DbType, parameter.Value) = (DbType.String, (object?)Clean(value) ?? DBNull.Value);

        public override string Parse(object value) => (string)value;
    }

    /// <summary>JSON travels as text: a column is selected with <c>::text</c>, a parameter used with <c>::jsonb</c>.</summary>
    private sealed class JsonHandler : SqlMapper.TypeHandler<JsonElement>
    {
        public override void SetValue(IDbDataParameter parameter, JsonElement value) =>
            (parameter.DbType, parameter.Value) = (DbType.String, Clean(value.GetRawText()));

        public override JsonElement Parse(object value) => JsonElement.Parse((string)value);
    }

    private sealed class TextsHandler : SqlMapper.TypeHandler<string[]>
    {
        public override void SetValue(IDbDataParameter parameter, string[]? value) =>
            parameter.Value = value is null ? DBNull.Value : Array.ConvertAll<string?, string?>(value, Clean);

        public override string[] Parse(object value) => (string[])value;
    }
}
