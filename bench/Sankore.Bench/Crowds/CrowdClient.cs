namespace Sankore.Bench.Crowds;

/// <summary>One of a crowd. It is changed in the crowd's thread alone; others see a moment of it.</summary>
public sealed class CrowdClient
{
    internal CrowdStream Stream;

    internal CrowdClient(int number, string token) => (Number, Token) = (number, token);

    /// <summary>Its place among the clients.</summary>
    public int Number { get; }

    /// <summary>Whether its stream is open.</summary>
    public bool IsOpen { get; internal set; }

    /// <summary>The last id (or number) it was told: what it asks to go on from; -1: none.</summary>
    public long LastId { get; internal set; } = -1;

    /// <summary>Changes it was told.</summary>
    public long Events { get; internal set; }

    /// <summary>How often it was told to read everything again.</summary>
    public int Resets { get; internal set; }

    /// <summary>How often it has begun to connect.</summary>
    public int Attempts { get; internal set; }

    /// <summary>The node it is at, or goes to next.</summary>
    public int Server { get; internal set; }

    internal string Token { get; }
    internal int Descriptor { get; set; } = -1;
    internal bool IsDeaf { get; set; }
    internal bool IsAway { get; set; }
}
