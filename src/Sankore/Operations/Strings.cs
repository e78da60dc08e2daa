namespace Sankore.Operations;

/// <summary>Operations's texts.</summary>
public sealed class Strings;
