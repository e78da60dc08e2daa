using System.Reflection;
using System.Reflection.Emit;

namespace Sankore.Tests.Guards;

/// <summary>
/// Reads from compiled code which types a type uses: its bases, attributes, fields, signatures, locals, and whatever its method bodies
/// name.
/// </summary>
public static class References
{
    private const BindingFlags Own =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    /// <summary>Every type that <paramref name="type"/> uses, its type arguments and element types apart.</summary>
    public static IEnumerable<Type> Of(Type type) => Named(type).SelectMany(Parts).Distinct();

    private static IEnumerable<Type?> Named(Type type) =>
        [
            type.BaseType, .. type.GetInterfaces(), .. Attributes(type),
                .. type.GetGenericArguments().Where(a => a.IsGenericParameter).SelectMany(a => a.GetGenericParameterConstraints()),
            .. type.GetFields(Own).SelectMany(f => Attributes(f).Append(f.FieldType)),
            .. type.GetProperties(Own).SelectMany(p => Attributes(p).Append(p.PropertyType)),
            .. type.GetMethods(Own).SelectMany(m => Signature(m).Append(m.ReturnType)), .. type.GetConstructors(Own).SelectMany(Signature),
            .. type.GetMethods(Own).Cast<MethodBase>().Concat(type.GetConstructors(Own)).SelectMany(Body),
        ];

    private static IEnumerable<Type?> Signature(MethodBase method) =>
        [.. Attributes(method),
            .. method.GetParameters().SelectMany(p => p.GetCustomAttributesData().Select(a => a.AttributeType).Append(p.ParameterType))];

    private static IEnumerable<Type?> Attributes(MemberInfo member) => member.GetCustomAttributesData()
        .SelectMany(
            a =>
            a.ConstructorArguments.Concat(a.NamedArguments.Select(n => n.TypedValue)).Select(v => v.Value as Type).Append(a.AttributeType));

    private static IEnumerable<Type?> Body(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
        {
            return [];
        }
        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method.IsGenericMethodDefinition ? method.GetGenericArguments() : [];
        return body.LocalVariables.Select(l => (Type?)l.LocalType)
            .Concat(body.ExceptionHandlingClauses.Where(c => c.Flags == ExceptionHandlingClauseOptions.Clause).Select(c => c.CatchType))
            .Concat(
            Tokens(body.GetILAsByteArray()!).SelectMany(token => method.Module.ResolveMember(token, typeArguments, methodArguments) switch
            {
                Type t => (IEnumerable<Type?>)[t],
                FieldInfo f => [f.DeclaringType, f.FieldType],
                MethodInfo m =>
                [m.DeclaringType, m.ReturnType, .. m.GetGenericArguments(), .. m.GetParameters().Select(p => p.ParameterType)],
                MethodBase m => [m.DeclaringType, .. m.GetParameters().Select(p => p.ParameterType)],
                _ => [],
            }));
    }

    /// <summary>The tokens of types, fields and methods in a method's code.</summary>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (var i = 0; i < code.Length;)
        {
            var opcode = code[i] == 0xFE ? OpCodes[(short)(0xFE00 | code[i + 1])] : OpCodes[code[i]];
            i += opcode.Size;
            if (opcode.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok
                or OperandType.InlineType)
            {
                yield return BitConverter.ToInt32(code, i);
            }
            i += opcode.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, i),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type> Parts(Type? type) => type switch
    {
        null => [],
        { HasElementType: true } => Parts(type.GetElementType()),
        { IsConstructedGenericType: true } => type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition()),
        { IsGenericParameter: true } => [],
        _ => [type],
    };
}
