namespace Sankore.Identity;

/// <summary>Identity's texts.</summary>
public sealed class Strings;
