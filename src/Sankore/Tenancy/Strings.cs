namespace Sankore.Tenancy;

/// <summary>Tenancy's texts.</summary>
public sealed class Strings;
