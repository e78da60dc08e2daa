namespace Sankore.Rbac;

/// <summary>Rbac's texts.</summary>
public sealed class Strings;
